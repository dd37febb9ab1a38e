"""`manage.py lint PATH…`: the rules that runbooks are held to, like a compiler. Needs no database."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cvdops.spec import template
from cvdops.spec.children import cycles
from cvdops.spec.document import Diagnostic, Runbook, Severity
from cvdops.spec.lint import lint
from cvdops.spec.parser import MAX_BYTES, parse
from cvdops.spec.reports import FORMATS


class Command(BaseCommand):
    help = (
        "Check runbooks. Exit 0 if there is no error, 1 if there is one, 2 if a file cannot be read"
        " or the new one cannot be written."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files or folders")
        parser.add_argument("--format", choices=tuple(FORMATS), default="text")
        parser.add_argument(
            "--init", type=Path, metavar="PATH", help="write a new runbook to this file instead"
        )

    def handle(
        self, *_args: object, paths: list[Path], format: str, init: Path | None, **_options: Any
    ) -> None:
        if bool(paths) is bool(init):
            raise CommandError(
                "Name the files to check, or one to write with --init.", returncode=2
            )
        if init:
            self.stdout.write(_write_new(init))
        else:
            self._check(paths, format)

    def _check(self, paths: list[Path], format: str) -> None:
        try:
            report = _report(paths)
        except OSError as error:
            message = f"{error.filename} cannot be read: {error.strerror}."
            raise CommandError(message, returncode=2) from None
        self.stdout.write(FORMATS[format](report))
        if any(d.severity is Severity.ERROR for _, found in report for d in found):
            sys.exit(1)


def _files(paths: list[Path]) -> Iterator[Path]:
    """The files, and those of the folders; a file that is named twice comes once."""
    seen: set[Path] = set()
    for path in paths:
        for file in sorted(path.rglob("*.md")) if path.is_dir() else (path,):
            if file not in seen:
                seen.add(file)
                yield file


def _report(paths: list[Path]) -> list[tuple[str, tuple[Diagnostic, ...]]]:
    """The files with what is found in each, circles among them included. Raises OSError."""
    read = [(path, *_read(path)) for path in _files(paths)]
    circles = cycles({runbook.id: runbook for _, _, runbook in read})
    report = []
    for path, text, runbook in read:
        found = (*lint(runbook, text, _today()), *circles.get(runbook.id, ()))
        report.append((path.as_posix(), tuple(sorted(found, key=lambda d: (d.line, d.code)))))
    return report


def _read(path: Path) -> tuple[str, Runbook]:
    with path.open("rb") as file:
        source = file.read(MAX_BYTES + 1)
    return source.decode("utf-8", "replace"), parse(source, path.name)


def _today() -> date:
    return datetime.now(UTC).date()


def _write_new(path: Path) -> str:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template.new(path.name, _today()))
    except FileExistsError:
        message = f"{path} exists already and was not changed. Name a file that does not."
        raise CommandError(message, returncode=2) from None
    except OSError as error:
        message = f"{error.filename} cannot be opened: {error.strerror}."
        raise CommandError(message, returncode=2) from None
    return f"{path} is written. Fill it in, then check it: manage.py lint {path}"


def main() -> None:
    """The command by itself, for repositories that hold only runbooks."""
    Command().run_from_argv(["cvdops", "lint", *sys.argv[1:]])
