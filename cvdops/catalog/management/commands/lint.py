"""`manage.py lint PATH…`: the rules that runbooks are held to, like a compiler. Needs no database."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, ClassVar

from cvdops.catalog import names
from cvdops.lib.command import Error, PortalCommand
from cvdops.spec import template
from cvdops.spec.collection import among
from cvdops.spec.document import Diagnostic, Runbook, Severity
from cvdops.spec.lint import lint
from cvdops.spec.parser import MAX_BYTES, parse
from cvdops.spec.reports import FORMATS

Read = tuple[Path, str, Runbook]
Found = tuple[Diagnostic, ...]


class Command(PortalCommand):
    help = (
        "Hold runbooks to the rules, like a compiler: file, line, what is wrong, what to do. Needs no "
        "database. Each finding has a code, which the page /runbooks/rules/CODE/ explains."
    )
    examples: ClassVar = (
        ("manage.py lint runbooks", "every runbook of the folder, and what stands between them"),
        ("manage.py lint runbooks --format github", "as annotations of GitHub; also sarif, json"),
        ("manage.py lint --init RESTART_THE_SERVICE.md", "write a new one that passes"),
    )
    exits: ClassVar = (
        (0, "no error; there may be warnings"),
        (1, "at least one error"),
        (2, "a file cannot be read, or the new one cannot be written"),
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files or folders")
        parser.add_argument(
            "--format", choices=tuple(FORMATS), default="text", help="--json is --format json"
        )
        parser.add_argument(
            "--init", type=Path, metavar="PATH", help="write a new runbook to this file instead"
        )

    def handle(
        self, *_args: object, paths: list[Path], format: str, init: Path | None, **options: Any
    ) -> None:
        if bool(paths) is bool(init):
            raise Error("Name the files to check, or one to write with --init.")
        if init:
            _write_new(init)
            said = f"{init} is written. Fill it in, then check it: manage.py lint {init}"
            if options["json"]:
                self.console.say_json({"written": str(init)})
            else:
                self.console.say(said)
        else:
            self._check(paths, "json" if options["json"] else format)

    def _check(self, paths: list[Path], format: str) -> None:
        """Everything that can be read is checked, whatever cannot."""
        files, unread = _files(paths)
        read: list[Read] = []
        for file in files:
            try:
                read.append(_read(file))
            except OSError as error:
                unread.append(f"{file} cannot be read: {error.strerror}.")
        report = _report(read, complete=any(path.is_dir() for path in paths))
        self.console.say(FORMATS[format](report).removesuffix("\n"))
        if unread:
            raise Error(" ".join(unread), printed=True)
        if any(d.severity is Severity.ERROR for _, found in report for d in found):
            sys.exit(1)


def _files(paths: list[Path]) -> tuple[list[Path], list[str]]:
    """The files, and those of the folders, each once; and what is wrong with folders."""
    files: dict[Path, None] = {}
    wrong = []
    for path in paths:
        if not path.is_dir():
            files[path] = None
        elif found := sorted(file for file in path.rglob("*") if _is_document(file, path)):
            files |= dict.fromkeys(found)
        else:
            wrong.append(f"{path} holds no runbook: no file but a README that ends with .md.")
    return list(files), wrong


def _is_document(file: Path, folder: Path) -> bool:
    """As the catalog sees it."""
    return names.is_document(file.relative_to(folder).as_posix()) and not file.is_dir()


def _report(read: Sequence[Read], *, complete: bool) -> list[tuple[str, Found]]:
    """The files with what is found in each, and between them.

    `complete`: a folder is taken for all the runbooks there are, so that a child can be missing.
    """
    together = among({path: runbook for path, _, runbook in read}, complete=complete)
    report = []
    for path, text, runbook in read:
        found = (*lint(runbook, text, _today()), *together[path])
        report.append((path.as_posix(), tuple(sorted(found, key=lambda d: (d.line, d.code)))))
    return report


def _read(path: Path) -> Read:
    with path.open("rb") as file:
        source = file.read(MAX_BYTES + 1)
    return path, source.decode("utf-8", "replace"), parse(source, path.name)


def _today() -> date:
    return datetime.now(UTC).date()


def _write_new(path: Path) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template.new(path.name, _today()))
    except FileExistsError:
        message = f"{path} exists already and was not changed. Name a file that does not."
        raise Error(message) from None
    except OSError as error:
        message = f"{error.filename} cannot be opened: {error.strerror}."
        raise Error(message) from None


def main() -> None:
    """The command by itself, for repositories that hold only runbooks."""
    Command().run_from_argv(["cvdops", "lint", *sys.argv[1:]])
