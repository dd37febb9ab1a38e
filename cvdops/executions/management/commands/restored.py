"""`manage.py restored`: to be run after a backup was restored, before workers are started."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cvdops.executions.restoring import hold_everything
from cvdops.lib.errors import UserError


class Command(BaseCommand):
    help = "After a backup was restored: pause what was under way, void open approvals, log everybody out."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            report = hold_everything()
        except UserError as error:
            raise CommandError(str(error)) from None
        when = (
            f"{report.backup:%Y-%m-%d %H:%M:%S} UTC" if report.backup else "before the first event"
        )
        self.stdout.write(
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
