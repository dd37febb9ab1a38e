"""A dump of the audit log into which somebody has reached, restored: the check names the entry."""

import random

import pytest
from django.db import Error, connection, transaction
from psycopg import sql

from cvdops.audit import chain
from tests.audit.test_chain import by_force, written

pytestmark = pytest.mark.django_db

TABLES = {"audit_auditentry": "id", "audit_seal": "number"}
ROWS = 40
FLIPS = 150


def dump() -> dict[str, list[bytes]]:
    """The lines of both tables, as a dump has them."""
    return {table: _lines(table, order) for table, order in TABLES.items()}


def _lines(table: str, order: str) -> list[bytes]:
    statement = sql.SQL("COPY (SELECT * FROM {} ORDER BY {}) TO STDOUT").format(
        sql.Identifier(table), sql.Identifier(order)
    )
    with connection.connection.cursor() as cursor, cursor.copy(statement) as copy:
        return b"".join(map(bytes, copy)).splitlines(keepends=True)


def restore(lines: dict[str, list[bytes]]) -> None:
    """Into empty tables, as a restore does: without triggers. Raises Error for what is no dump."""
    for table in TABLES:
        by_force(f"DELETE FROM {table}")  # noqa: S608
        statement = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            with (
                connection.wrap_database_errors,
                connection.connection.cursor() as raw,
                raw.copy(statement) as copy,
            ):
                copy.write(b"".join(lines[table]))
            cursor.execute("SET LOCAL session_replication_role = origin")


def judged(lines: dict[str, list[bytes]], whole: dict[str, list[bytes]]) -> str:
    """What the check says of it; `refused` if the database takes no such dump, `same` if it says the same."""
    try:
        with transaction.atomic():
            restore(lines)
            said = "same" if dump() == whole else chain.verify({}).problem
            transaction.set_rollback(True)
    except Error:
        return "refused"
    return said


def test_a_dump_is_restored_whole() -> None:
    written(ROWS)
    whole = dump()
    restore(whole)
    assert chain.verify({}).problem == ""


def test_a_byte_that_was_flipped_is_found_and_named() -> None:
    ids = written(ROWS)
    whole = dump()
    chance = random.Random(7)  # noqa: S311
    said = []
    for _ in range(FLIPS):
        table = chance.choice(list(TABLES))
        row = chance.randrange(ROWS)
        line = bytearray(whole[table][row])
        line[chance.randrange(len(line) - 1)] ^= 1 << chance.randrange(7)
        broken = {**whole, table: [*whole[table][:row], bytes(line), *whole[table][row + 1 :]]}
        answer = judged(broken, whole)
        said.append(answer)
        named = f"Entry {ids[row]}" in answer or f"number {row + 1} " in answer.lower()
        assert named or answer in {"refused", "same"}, (bytes(line), answer)
    assert sum(answer not in {"refused", "same"} for answer in said) > FLIPS / 3


def test_a_line_that_is_gone_is_found_and_named() -> None:
    ids = written(ROWS)
    whole = dump()
    lines = {
        **whole,
        "audit_auditentry": whole["audit_auditentry"][:7] + whole["audit_auditentry"][8:],
    }
    assert judged(lines, whole) == f"Entry {ids[7]}, number 8 of the chain, was removed."


def test_two_entries_that_were_exchanged_are_found() -> None:
    ids = written(ROWS)
    whole = dump()
    entries = [line.split(b"\t", 1) for line in whole["audit_auditentry"]]
    entries[3][1], entries[9][1] = entries[9][1], entries[3][1]
    lines = {**whole, "audit_auditentry": [b"\t".join(parts) for parts in entries]}
    assert judged(lines, whole).startswith(f"Entry {ids[3]}, number 4 ")
