"""`manage.py restored`: to be run after a backup was restored, before workers are started."""

from dataclasses import asdict
from typing import Any, ClassVar

from cvdops.executions.restoring import hold_everything
from cvdops.lib.command import PortalCommand


class Command(PortalCommand):
    help = (
        "After a backup was restored, before workers are started: pause what was under way, void open "
        "approvals, log everybody out, revoke API tokens."
    )
    examples: ClassVar = (
        (
            "manage.py restored && manage.py doctor",
            "after `migrate`; then look what was left behind",
        ),
    )
    exits: ClassVar = (
        (0, "nothing goes on by itself now"),
        (2, "nothing was changed: a worker lives, or the database cannot be reached"),
    )

    def handle(self, *_args: Any, **options: Any) -> None:
        report = hold_everything()
        if options["json"]:
            self.console.say_json(asdict(report))
            return
        when = (
            f"{report.backup:%Y-%m-%d %H:%M:%S} UTC" if report.backup else "before the first event"
        )
        self.console.say(
            f"The newest event of this database is of {when}.\n"
            f"{_many(report.executions, 'execution')} paused, "
            f"{_many(report.steps, 'step')} interrupted, "
            f"{_many(report.approvals, 'approval')} void, "
            f"{_many(report.sessions, 'session')} ended.\n"
            "Now run `manage.py doctor`: it lists steps that this database has never heard of. "
            "Then start the workers."
        )


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
