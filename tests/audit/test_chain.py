"""The chain of the audit log: whatever is done to a row, to the order or to the end of it is found."""

import random
import threading
from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from cvdops.accounts.models import KnownAddress, User
from cvdops.audit import chain
from cvdops.audit.chain import Entry, Head, Link, Walk, digest
from cvdops.audit.log import from_address, record
from cvdops.audit.models import AuditEntry, Seal
from cvdops.lib.errors import Conflict
from tests.waiting import joined, until

pytestmark = pytest.mark.django_db

DATA = {
    "reason": 'ümläut, 日本, \u2028, \\ and "quotes"',
    "n": 1.50,
    "deep": {"b": [1, None], "a": True},
}


def written(count: int = 5) -> list[int]:
    """So many entries, sealed as at a commit; their ids."""
    user = User.objects.get_or_create(username="dana", name="Dana")[0]
    for number in range(count):
        with from_address("10.0.0.7" if number % 2 else None):
            actor = user if number % 3 else None
            record(actor, "x.do", "thing", f"n {number}", allowed=number % 4 != 0, data=DATA)
    connection.check_constraints()
    return list(AuditEntry.objects.order_by("pk").values_list("pk", flat=True))


def by_force(sql: str, *values: object) -> None:
    """As somebody who owns the database and knows it well."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql, values)
        cursor.execute("SET LOCAL session_replication_role = origin")


def problem(known: dict[int, bytes] | None = None) -> str:
    return chain.verify(known or {}).problem


def test_what_was_written_is_whole() -> None:
    written()
    walk = chain.verify({})
    assert (walk.problem, walk.head.number) == ("", 5)


def test_an_empty_log_is_whole() -> None:
    assert problem() == ""


CHANGES = {
    "at": "at + interval '1 microsecond'",
    "actor_id": "NULL",
    "action": "action || ' '",
    "subject": "upper(subject)",
    "subject_id": "replace(subject_id, ' ', '')",
    "allowed": "NOT allowed",
    "data": """data || '{"n": 1.50}'""",
    "address": "'10.0.0.8'",
}


@pytest.mark.parametrize(("column", "value"), CHANGES.items())
def test_a_change_of_any_column_is_found(column: str, value: str) -> None:
    ids = written()
    by_force(f"UPDATE audit_auditentry SET {column} = {value} WHERE id = %s", ids[1])  # noqa: S608
    assert problem().startswith(f"Entry {ids[1]}, number 2 ")


def test_a_removed_entry_is_found() -> None:
    ids = written()
    by_force("DELETE FROM audit_auditentry WHERE id = %s", ids[2])
    assert problem() == f"Entry {ids[2]}, number 3 of the chain, was removed."


def test_an_entry_removed_with_its_seal_is_found() -> None:
    ids = written()
    by_force("DELETE FROM audit_auditentry WHERE id = %s", ids[2])
    by_force("DELETE FROM audit_seal WHERE entry_id = %s", ids[2])
    assert problem().startswith("Number 3 of the chain is missing")


def test_two_entries_that_changed_places_are_found() -> None:
    ids = written()
    by_force(
        "UPDATE audit_seal SET entry_id = -entry_id WHERE entry_id = ANY(%s)", [ids[1], ids[3]]
    )
    by_force(
        "UPDATE audit_seal SET entry_id = CASE entry_id WHEN %s THEN %s ELSE %s END WHERE entry_id < 0",
        *(-ids[1], ids[3], ids[1]),
    )
    assert problem().startswith(f"Entry {ids[3]}, number 2 ")


def test_an_entry_that_went_past_the_triggers_is_found() -> None:
    written()
    by_force(
        "INSERT INTO audit_auditentry (action, subject, subject_id, allowed, data)"
        " VALUES ('x.do', 'thing', '1', true, '{}')"
    )
    assert "is not part of the chain" in problem()


def test_a_cut_tail_is_found_by_what_was_noted_outside() -> None:
    written()
    known = {4: bytes(Seal.objects.get(pk=4).hash)}
    by_force("DELETE FROM audit_seal WHERE number > 3")
    by_force("DELETE FROM audit_auditentry WHERE id NOT IN (SELECT entry_id FROM audit_seal)")
    assert problem() == ""
    assert problem(known).startswith("The chain ends with number 3, and number 4 had been noted")


def test_a_chain_made_anew_is_found_by_what_was_noted_outside() -> None:
    ids = written()
    known = {seal.pk: bytes(seal.hash) for seal in Seal.objects.filter(pk__in=[1, 4])}
    by_force("UPDATE audit_auditentry SET allowed = NOT allowed WHERE id = %s", ids[1])
    by_force("DELETE FROM audit_seal")
    with connection.cursor() as cursor:
        for entry in ids:
            cursor.execute("SELECT audit_seal_entry(%s)", [entry])
    assert problem() == ""
    assert problem(known).startswith(f"Entry {ids[3]}, number 4 of the chain, or one before it")


def rows(count: int) -> list[Link]:
    """Links as they would be stored, of entries that differ in everything."""
    chance, head, made = random.Random(1), Head(), []  # noqa: S311
    for number in range(1, count + 1):
        entry = Entry(
            at=1_700_000_000_000_000 + chance.randrange(10**12),
            actor=chance.choice([None, str(chance.randrange(99))]),
            allowed=chance.choice(["true", "false"]),
            address=chance.choice([None, "10.0.0.7/32", "2001:db8::1/128"]),
            action=chance.choice(["execution.start", "session.login"]),
            subject="execution",
            subject_id=str(chance.randrange(10**6)),
            data='{"reason": "ü"}',
        )
        stored = digest(head.hash, number, number + 7, entry)
        made.append(Link(number, number + 7, stored, entry))
        head = Head(number, stored)
    return made


def flipped(link: Link) -> Iterable[Link]:
    """The link with each byte of what its entry says changed, one after the other, and its hash's."""
    assert link.entry is not None
    for field in fields(Entry):
        text = getattr(link.entry, field.name)
        if isinstance(text, int):
            yield replace(link, entry=replace(link.entry, at=text ^ 1))
        for position, letter in enumerate(text if isinstance(text, str) else ""):
            other = text[:position] + chr(ord(letter) ^ 1) + text[position + 1 :]
            yield replace(link, entry=replace(link.entry, **{field.name: other}))
    for position in range(32):
        broken = bytearray(link.hash)
        broken[position] ^= 1
        yield replace(link, hash=bytes(broken))


def test_each_byte_of_a_thousand_rows_counts() -> None:
    made = rows(1000)
    head, tried = Head(), 0
    for link in made:
        for other in flipped(link):
            tried += 1
            walk = Walk(head).over([other], {})
            assert f"Entry {link.entry_id}, " in walk.problem, other
        head = Head(link.number, link.hash)
    assert tried > 50_000
    assert Walk().over(made, {}).problem == ""


def test_where_one_text_ends_and_the_next_begins_counts() -> None:
    base = Entry(1, None, "true", None, "ab", "c", "d", "{}")
    assert digest(b"", 1, 1, base) != digest(b"", 1, 1, replace(base, action="a", subject="bc"))


def test_the_hash_of_the_database_is_that_of_the_check() -> None:
    """With a time before 1970 and the smallest fraction, as both sides compute it."""
    at = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    AuditEntry.objects.create(at=at, action="a", subject="s", subject_id="")
    connection.check_constraints()
    assert problem() == ""


@pytest.mark.django_db(transaction=True)
def test_the_order_of_the_chain_is_that_of_the_commits() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            record(None, "slow", "thing", 1)
            begun.set()
            assert go_on.wait(20)
        connection.close()

    thread = threading.Thread(target=slow, daemon=True)
    thread.start()
    assert begun.wait(20)
    record(None, "quick", "thing", 2)  # waits for nobody
    go_on.set()
    joined(thread)
    names = dict(AuditEntry.objects.values_list("pk", "action"))
    sealed = Seal.objects.order_by("pk").values_list("entry_id", flat=True)
    assert [names[pk] for pk in sealed] == ["quick", "slow"]
    assert problem() == ""


@pytest.mark.django_db(transaction=True)
def test_many_at_once_make_one_chain() -> None:
    def some() -> None:
        for number in range(20):
            with transaction.atomic():
                record(None, "x.do", "thing", number)
                record(None, "x.done", "thing", number)
        connection.close()

    threads = [threading.Thread(target=some, daemon=True) for _ in range(6)]
    for thread in threads:
        thread.start()
    joined(*threads)
    walk = chain.verify({})
    assert (walk.problem, walk.head.number) == ("", 240)


@pytest.mark.django_db(transaction=True)
def test_who_holds_the_chain_waits_for_nobody() -> None:
    """A key that is checked at the commit waits for a row that somebody else has locked, before it seals."""
    user = User.objects.create(username="dana", name="Dana")

    def with_a_key() -> None:
        with transaction.atomic():
            record(None, "with_key", "thing", 1)
            KnownAddress.objects.create(user=user, address="10.0.0.7")
        connection.close()

    thread = threading.Thread(target=with_a_key, daemon=True)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        thread.start()
        until(waits_for_a_lock, what="the commit that waits for the row")
        record(None, "with_row", "thing", 2)
    joined(thread)
    names = dict(AuditEntry.objects.values_list("pk", "action"))
    sealed = Seal.objects.order_by("pk").values_list("entry_id", flat=True)
    assert [names[pk] for pk in sealed] == ["with_row", "with_key"]
    assert problem() == ""


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone()[0] > 0


@pytest.mark.django_db(transaction=True)
def test_what_was_undone_is_in_no_chain() -> None:
    with pytest.raises(Conflict), transaction.atomic():
        record(None, "x.do", "thing", 1)
        raise Conflict("no")
    record(None, "x.do", "thing", 2)
    assert (problem(), Seal.objects.count()) == ("", 1)
