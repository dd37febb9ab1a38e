"""`manage.py sync`: bring the catalog up to its source, and say per file what was done."""

import sys
from dataclasses import asdict
from typing import Any, ClassVar

from cvdops.catalog.report import FileResult
from cvdops.catalog.sync import sync
from cvdops.lib.command import PortalCommand


class Command(PortalCommand):
    help = (
        "Read the runbooks anew, from the folder or Git repository of CVDOPS_RUNBOOKS, and say what became of "
        "each file. Workers do the same by themselves once a minute."
    )
    examples: ClassVar = (
        ("manage.py sync", "read them now"),
        ("manage.py sync --json", "the same, with a result for each file"),
    )
    exits: ClassVar = (
        (0, "all files are as the catalog has them"),
        (1, "a file is broken or refused; the others were read"),
        (2, "the source cannot be read; the catalog stays as it was"),
    )

    def handle(self, *_args: Any, **options: Any) -> None:
        report = sync()
        if options["json"]:
            results = [asdict(result) for result in report.results]
            self.console.say_json({"results": results, "head": report.head})
        else:
            for result in report.results:
                self.console.say(_line(result))
            if report.head:
                self.console.say(f"The catalog stands at {report.head}.")
        if report.to_mend:
            sys.exit(1)


def _line(result: FileResult) -> str:
    """As compilers write: file, line, what, why, what to do."""
    place = f"{result.path}:{result.line}" if result.line else result.path
    said = " ".join(filter(None, (result.message, result.hint)))
    return f"{place}: {result.action}" + (f": {said}" if said else "")
