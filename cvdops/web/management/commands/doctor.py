"""`manage.py doctor`: what is wrong with this installation and how to mend it."""

import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any, ClassVar

from cvdops.doctor import examine, kept
from cvdops.doctor.finding import Finding, State
from cvdops.lib.command import PortalCommand

_MARKS = {State.OK: ("ok", "ok"), State.WARNING: ("warning", "wait"), State.WRONG: ("WRONG", "bad")}


class Command(PortalCommand):
    help = (
        "Look at everything that this installation needs: what was found, what it means, how to mend it. It "
        "mends nothing. Run it on the machine of a worker: a part of what it looks at is that machine."
    )
    examples: ClassVar = (
        ("manage.py doctor", "everything, as it is found"),
        ("manage.py doctor --json", "the same for a program"),
        ("manage.py doctor --keep", "and keep it for the page Doctor, for instance from cron"),
    )
    exits: ClassVar = (
        (0, "nothing is wrong; there may be warnings"),
        (1, "something is wrong"),
        (2, "it could not look: a setting is missing or wrong"),
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--keep", action="store_true", help="keep what is found for the page of administrators"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        found = []
        for finding in examine():
            found.append(finding)
            if not options["json"]:
                self.console.say(self._text(finding))
        if options["json"]:
            self.console.say_json({"findings": [asdict(one) for one in found]})
        if options["keep"] and found[0].state is not State.WRONG:  # the database is looked at first
            kept.keep(found)
        if any(finding.state is State.WRONG for finding in found):
            sys.exit(1)

    def _text(self, finding: Finding) -> str:
        word, tone = _MARKS[finding.state]
        mark = self.console.painted(word.ljust(8), tone, aside=False)
        lines = [f"{mark}{finding.name}: {finding.found}"]
        if finding.state is not State.OK:
            lines += [
                f"          What it means: {finding.means}",
                f"          What to do: {finding.mend}",
            ]
        return "\n".join(lines)
