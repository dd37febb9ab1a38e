"""`manage.py doctor`: what is wrong with this installation and how to mend it."""

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from cvdops.web.doctor import examine
from cvdops.web.doctor.finding import Finding, State

_MARKS = {State.OK: "ok      ", State.WARNING: "warning ", State.WRONG: "WRONG   "}


class Command(BaseCommand):
    help = "Say what is wrong with this installation and how to mend it. Exit 1 if anything is."
    requires_system_checks = ()  # an installation that does not pass them needs it most

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="as JSON, for programs")

    def handle(self, *_args: Any, **options: Any) -> None:
        found = []
        for finding in examine():
            found.append(finding)
            if not options["json"]:
                self.stdout.write(_text(finding))
        if options["json"]:
            self.stdout.write(json.dumps({"findings": [asdict(one) for one in found]}, indent=2))
        if any(finding.state is State.WRONG for finding in found):
            sys.exit(1)


def _text(finding: Finding) -> str:
    lines = [f"{_MARKS[finding.state]}{finding.name}: {finding.found}"]
    if finding.state is not State.OK:
        lines += [
            f"          What it means: {finding.means}",
            f"          What to do: {finding.mend}",
        ]
    return "\n".join(lines)
