"""`manage.py retention`: remove the output of old months."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from cvdops.executions import partitions


class Command(BaseCommand):
    help = (
        "Remove the output of months that are too old, each at once. Executions, their steps, their "
        "events and the digests of their output stay. Exit 0; 2 if the table is in use."
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
            raise CommandError("--keep needs at least 1 month.", returncode=2)
        try:
            partitions.prepare()  # what lies outside of its month gets one
            months = partitions.too_old(keep)
            for month in months:
                self._remove(month, keep, pretend=options["dry_run"])
        except OperationalError as error:
            raise CommandError(
                f"The output table is in use, or the database is away: {error}".strip()
                + " Nothing more was removed; try again.",
                returncode=2,
            ) from None
        if not months:
            self.stdout.write(f"No output is older than {keep} months.")

    def _remove(self, month: partitions.Month, keep: int, *, pretend: bool) -> None:
        if pretend:
            self.stdout.write(f"Would remove the output of {month}.")
            return
        size = partitions.remove(month, keep)
        self.stdout.write(f"Removed the output of {month}: {size / 1e6:,.1f} MB.")
