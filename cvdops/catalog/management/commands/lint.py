"""`manage.py lint PATH…`: the rules that runbooks are held to, like a compiler. Needs no database."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cvdops.spec.document import Diagnostic, Severity
from cvdops.spec.lint import lint
from cvdops.spec.parser import parse
from cvdops.spec.serialise import diagnostic_json

Report = list[tuple[Path, tuple[Diagnostic, ...]]]


class Command(BaseCommand):
    help = "Check runbooks; exit 0 if there is no error, 1 if there is one, 2 if a file cannot be read."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files or folders")
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(self, *_args: object, paths: list[Path], format: str, **_options: Any) -> None:
        try:
            report = [(path, _lint(path)) for path in _files(paths)]
        except OSError as error:
            message = f"{error.filename} cannot be read: {error.strerror}."
            raise CommandError(message, returncode=2) from None
        self.stdout.write(_json(report) if format == "json" else _text(report))
        if any(d.severity is Severity.ERROR for _, found in report for d in found):
            sys.exit(1)


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.rglob("*.md")) if path.is_dir() else (path,)


def _lint(path: Path) -> tuple[Diagnostic, ...]:
    source = path.read_bytes()
    text = source.decode("utf-8", "replace")
    return lint(parse(source, path.name), text, datetime.now(UTC).date())


def _text(report: Report) -> str:
    lines = [line for path, found in report for d in found for line in _lines(path, d)]
    counts = [sum(d.severity is s for _, found in report for d in found) for s in Severity]
    files = "1 file" if len(report) == 1 else f"{len(report)} files"
    summary = ", ".join(
        f"{n} {s}" for n, s in zip(counts, ("errors", "warnings", "notes"), strict=True)
    )
    return "\n".join([*lines, f"{files}: {summary}"])


def _lines(path: Path, diagnostic: Diagnostic) -> Iterator[str]:
    d = diagnostic
    yield f"{path}:{d.line}: {d.severity}: {d.message} [{d.code}]"
    if d.hint:
        yield f"    {d.hint}"


def _json(report: Report) -> str:
    values = [{"path": str(path), **diagnostic_json(d)} for path, found in report for d in found]
    return json.dumps(values, indent=2, ensure_ascii=False)
