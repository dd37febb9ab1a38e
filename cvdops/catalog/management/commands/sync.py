"""`manage.py sync`: bring the catalog up to its source, and say per file what was done."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cvdops.catalog.report import FileResult
from cvdops.catalog.sync import sync
from cvdops.lib.errors import UserError


class Command(BaseCommand):
    help = (
        "Read the runbooks anew. Exit 0; 1 if a file is broken or refused; 2 if the source cannot be"
        " read."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            report = sync()
        except UserError as error:
            raise CommandError(str(error), returncode=2) from None
        for result in report.results:
            self.stdout.write(_line(result))
        if report.head:
            self.stdout.write(f"The catalog stands at {report.head}.")
        if report.to_mend:
            sys.exit(1)


def _line(result: FileResult) -> str:
    """As compilers write: file, line, what, why, what to do."""
    place = f"{result.path}:{result.line}" if result.line else result.path
    said = " ".join(filter(None, (result.message, result.hint)))
    return f"{place}: {result.action}" + (f": {said}" if said else "")
