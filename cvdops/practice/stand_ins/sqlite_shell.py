"""The stand-in for `sqlite3` where there is none: SQL and the dot commands that operations need."""

import argparse
import csv
import shlex
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

_MODES = ("list", "csv", "column", "table")


class Shell:
    """One database and how rows are written."""

    def __init__(self, database: sqlite3.Connection, mode: str, header: bool) -> None:
        self.database = database
        self.mode = mode
        self.header = header
        self.parameters: dict[str, object] = {}

    def run(self, text: str) -> None:
        """Lines of SQL and dot commands. Raises sqlite3.Error, ValueError."""
        pending = ""
        for line in text.splitlines():
            if not pending and line.lstrip().startswith("."):
                self._dot(shlex.split(line))
                continue
            for statement in _statements(pending + line + "\n"):
                pending = "" if sqlite3.complete_statement(statement) else statement
                if not pending:
                    self._sql(statement)
        if pending.strip():
            self._sql(pending)

    def _sql(self, statement: str) -> None:
        cursor = self.database.execute(statement, self.parameters)
        rows = [["" if value is None else str(value) for value in row] for row in cursor]
        if rows and cursor.description:
            names = [column[0] for column in cursor.description]
            self._show([names, *rows] if self.header else rows)

    def _show(self, rows: list[list[str]]) -> None:
        if self.mode == "csv":
            csv.writer(sys.stdout).writerows(rows)
        elif self.mode == "column":
            sys.stdout.writelines("  ".join(row).rstrip() + "\n" for row in _aligned(rows))
        elif self.mode == "table":
            head, *body = _aligned(rows)
            rule = f"+{'+'.join('-' * (len(cell) + 2) for cell in head)}+\n"
            lines = (f"| {' | '.join(row)} |\n" for row in (head, *body))
            sys.stdout.writelines([rule, next(lines), rule, *lines, rule])
        else:
            sys.stdout.writelines("|".join(row) + "\n" for row in rows)

    def _dot(self, words: list[str]) -> None:
        command = _DOT.get(words[0])
        if command is None:
            raise ValueError(f"unknown command {words[0]}; there is {', '.join(_DOT)}")
        command(self, words[1:])


def main(_root: str, arguments: list[str]) -> int:
    """Exit code 1 if anything failed; what came before it is done."""
    options = _options().parse_args(arguments)
    mode = next((name for name in _MODES if getattr(options, name)), "list")
    texts = options.sql or [sys.stdin.read()]
    before = [Path(options.init).read_text()] if options.init else []
    try:
        with closing(_connect(options.database, options.readonly)) as database:
            shell = Shell(database, mode, options.header or mode in ("column", "table"))
            for text in [*before, *options.cmd, *texts]:
                shell.run(text)
    except (sqlite3.Error, ValueError, IndexError, OSError) as error:
        sys.stdout.flush()
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


def _connect(path: str, readonly: bool) -> sqlite3.Connection:
    if readonly:
        address = f"file:{quote(str(Path(path).absolute()))}?mode=ro"
        return sqlite3.connect(address, uri=True, isolation_level=None)
    return sqlite3.connect(path, isolation_level=None)


def _statements(text: str) -> Iterator[str]:
    """Cut after each semicolon that ends a statement; the last may be unfinished."""
    begun = 0
    for at, character in enumerate(text):
        if character == ";" and sqlite3.complete_statement(text[begun : at + 1]):
            yield text[begun : at + 1]
            begun = at + 1
    if text[begun:].strip():
        yield text[begun:]


def _aligned(rows: list[list[str]]) -> Iterator[list[str]]:
    """The cells of each column with the same width."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]


def _backup(shell: Shell, words: list[str]) -> None:
    with closing(sqlite3.connect(words[-1])) as target:
        shell.database.backup(target)


def _restore(shell: Shell, words: list[str]) -> None:
    with closing(_connect(words[-1], readonly=True)) as source:
        source.backup(shell.database)


def _named(kind: str) -> Callable[[Shell, list[str]], None]:
    def show(shell: Shell, words: list[str]) -> None:
        table = words[0] if words else "%"
        sql = f"SELECT name FROM sqlite_schema WHERE type = '{kind}' AND tbl_name LIKE ?"  # noqa: S608 (a constant)
        for (name,) in shell.database.execute(f"{sql} AND name NOT LIKE 'sqlite_%'", (table,)):
            sys.stdout.write(f"{name}\n")

    return show


def _schema(shell: Shell, words: list[str]) -> None:
    sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND tbl_name LIKE ?"
    for (text,) in shell.database.execute(sql, (words[0] if words else "%",)):
        sys.stdout.write(f"{text};\n")


def _dump(shell: Shell, _words: list[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in shell.database.iterdump())


def _headers(shell: Shell, words: list[str]) -> None:
    shell.header = words[0] in ("on", "1", "yes")


def _mode(shell: Shell, words: list[str]) -> None:
    if words[0] not in _MODES:
        raise ValueError(f"unknown mode {words[0]}; there is {', '.join(_MODES)}")
    shell.mode = words[0]


def _parameter(shell: Shell, words: list[str]) -> None:
    verb, name, expression = words
    if verb != "set":
        raise ValueError("unknown command .parameter; there is .parameter set NAME VALUE")
    (value,) = shell.database.execute(f"SELECT {expression}").fetchone()
    shell.parameters[name.lstrip(":@$")] = value


def _timeout(shell: Shell, words: list[str]) -> None:
    shell.database.execute(f"PRAGMA busy_timeout = {int(words[0])}")


_DOT: dict[str, Callable[[Shell, list[str]], None]] = {
    ".backup": _backup,
    ".restore": _restore,
    ".tables": _named("table"),
    ".indexes": _named("index"),
    ".schema": _schema,
    ".dump": _dump,
    ".headers": _headers,
    ".mode": _mode,
    ".parameter": _parameter,
    ".timeout": _timeout,
}


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sqlite3", allow_abbrev=False)
    for name in ("readonly", "header", "batch", "bail", *_MODES):
        parser.add_argument(f"-{name}", f"--{name}", action="store_true")
    parser.add_argument("-init", "--init")
    parser.add_argument("-cmd", action="append", default=[])
    parser.add_argument("database", nargs="?", default=":memory:")
    parser.add_argument("sql", nargs="*")
    return parser
