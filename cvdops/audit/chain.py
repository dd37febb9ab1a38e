"""The chain of the audit log, checked without trusting the database that holds it.

The database makes the links (migration `0003_chain`); here they are computed again from what the rows say.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from django.db import connection, transaction

_LINKS = """
    SELECT s.number, s.entry_id, s.hash, e.id IS NOT NULL,
           (extract(epoch FROM e.at) * 1000000)::bigint, e.actor_id::text, e.allowed::text,
           e.address::text, e.action, e.subject, e.subject_id, e.data::text
      FROM audit_seal s LEFT JOIN audit_auditentry e ON e.id = s.entry_id
     WHERE s.number > %s ORDER BY s.number LIMIT %s
"""
_UNSEALED = """
    SELECT min(e.id) FROM audit_auditentry e LEFT JOIN audit_seal s ON s.entry_id = e.id
     WHERE s.number IS NULL
"""
BATCH = 2000


@dataclass(frozen=True, slots=True)
class Entry:
    """What an entry says, as text."""

    at: int  # microseconds since 1970
    actor: str | None
    allowed: str
    address: str | None
    action: str
    subject: str
    subject_id: str
    data: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it is stored, with its entry if there is one."""

    number: int
    entry_id: int
    hash: bytes
    entry: Entry | None


@dataclass(frozen=True, slots=True)
class Head:
    """How far the chain goes, and the hash there."""

    number: int = 0
    hash: bytes = b""


@dataclass(slots=True)
class Walk:
    """Goes along the links until one is wrong. `problem` is then a sentence that names its entry."""

    head: Head = field(default_factory=Head)
    problem: str = ""

    def over(self, links: Iterable[Link], known: Mapping[int, bytes]) -> "Walk":
        """`known`: number → hash, as they were noted outside the database."""
        for link in links:
            self.problem = _wrong(self.head, link, known)
            if self.problem:
                break
            self.head = Head(link.number, link.hash)
        return self


def digest(previous: bytes, number: int, entry_id: int, entry: Entry) -> bytes:
    """The hash of a link. Every text goes with its length, so that none can pass for two."""
    texts = (entry.action, entry.subject, entry.subject_id)
    parts = [
        *map(str, (number, entry_id, entry.at)),
        *(entry.actor or "-", entry.allowed, entry.address or "-"),
        *(f"{len(text.encode())} {text}" for text in texts),
        entry.data,
    ]
    return hashlib.sha256(previous + " ".join(parts).encode()).digest()


def _wrong(head: Head, link: Link, known: Mapping[int, bytes]) -> str:
    if link.number != head.number + 1:
        return f"Number {head.number + 1} of the chain is missing: its entry was removed."
    name = f"Entry {link.entry_id}, number {link.number} of the chain,"
    if link.entry is None:
        return f"{name} was removed."
    if digest(head.hash, link.number, link.entry_id, link.entry) != link.hash:
        return f"{name} was changed, or others were moved before it."
    if known.get(link.number, link.hash) != link.hash:
        return (
            f"{name} or one before it was changed and the chain made anew: "
            "the head that was noted outside the database is another one."
        )
    return ""


def links(after: int = 0, most: int | None = None) -> Iterator[Link]:
    """The stored links behind this number, in order; few of them in memory at a time."""
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(_LINKS, [after, most])
        while rows := cursor.fetchmany(BATCH):
            for number, entry_id, stored, found, *content in rows:
                entry = Entry(*content) if found else None
                yield Link(number, entry_id, bytes(stored), entry)


def verify(known: Mapping[int, bytes]) -> Walk:
    """Check every entry. `known`: heads that were noted outside, number → hash."""
    walk = Walk().over(links(), known)
    walk.problem = walk.problem or unsealed() or _cut(walk.head, known)
    return walk


def unsealed() -> str:
    """What is wrong with entries that have no seal, if there are any."""
    with connection.cursor() as cursor:
        cursor.execute(_UNSEALED)
        (entry_id,) = cursor.fetchone()
    return f"Entry {entry_id} is not part of the chain." if entry_id is not None else ""


def _cut(head: Head, known: Mapping[int, bytes]) -> str:
    last = max(known, default=0)
    if last <= head.number:
        return ""
    return (
        f"The chain ends with number {head.number}, and number {last} had been noted outside the "
        f"database: {last - head.number} or more of the newest entries were removed."
    )
