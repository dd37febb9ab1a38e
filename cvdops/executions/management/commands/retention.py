"""`manage.py retention`: remove the output of old months."""

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.db import OperationalError

from cvdops.executions import partitions
from cvdops.lib.command import Error, PortalCommand


class Command(PortalCommand):
    help = (
        "Remove the output of months that are too old, each at once. Executions, their steps, their "
        "events and the digests of their output stay."
    )
    examples: ClassVar = (
        ("manage.py retention --keep 12 --dry-run", "what would be removed?"),
        ("manage.py retention --keep 12", "keep this month and the twelve before it"),
    )
    exits: ClassVar = (
        (0, "done, if there was anything to do"),
        (2, "the table is in use; run it again"),
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--keep",
            type=int,
            required=True,
            metavar="MONTHS",
            help="whole months that are kept beside the present one, for instance 12",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be removed")

    def handle(self, *_args: Any, **options: Any) -> None:
        keep = options["keep"]
        if keep < 1:
            raise Error("--keep needs at least 1 month.")
        try:
            partitions.prepare()  # what lies outside of its month gets one
            months = partitions.too_old(keep)
            removed = [self._remove(month, options) for month in months]
        except OperationalError as error:
            raise Error(
                f"The output table is in use, or the database is away: {error}".strip()
                + " Nothing more was removed; try again."
            ) from None
        if options["json"]:
            self.console.say_json({"dry_run": options["dry_run"], "months": removed})
        elif not months:
            self.console.say(f"No output is older than {keep} months.")

    def _remove(self, month: partitions.Month, options: dict[str, Any]) -> dict[str, object]:
        size = None if options["dry_run"] else partitions.remove(month, options["keep"])
        if not options["json"]:
            self.console.say(
                f"Would remove the output of {month}."
                if size is None
                else f"Removed the output of {month}: {size / 1e6:,.1f} MB."
            )
        return {"month": str(month), "bytes": size}
