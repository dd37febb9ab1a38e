"""What nobody means to send: values of the wrong kind, too large, too deep, and bodies that are no JSON."""

import itertools
import json
from collections.abc import Callable
from random import Random
from typing import Any

QUOTES = ("'", '"', "`", "')", '")', "';", "\\'", "%27", "''", "$$", "\\", "/*", "*/", "--", "#")
COMMANDS = (
    " OR 1=1--", " OR pg_sleep(9)--", ";SELECT pg_sleep(9)--", " UNION SELECT NULL,NULL--",
    " AND 1=CAST((SELECT version()) AS int)--", ";DROP TABLE accounts_user--", "||(SELECT 1)||",
    " ORDER BY 99--", ") AND (SELECT 1 FROM pg_sleep(9))=1--", "{{7*7}}", "${7*7}", "%s%s%n",
    "../../etc/passwd", "|id", "$(sleep 9)", "<script>alert(1)</script>", "__class__", "%",
    "&|!:*<->", "\U0001f600" * 50,
)  # fmt: skip
CORPUS = [quote + command for quote, command in itertools.product(QUOTES, COMMANDS)]


def _nested(depth: int) -> Any:
    found: Any = "x"
    for _ in range(depth):
        found = [found]
    return found


TEXTS = [
    "", " ", "\0", "\ud800", "a\0b", "\r\nX: y", "\u202e", "é" * 200, "9" * 5000, "x" * 70_000, "NaN", "-0",
    "null", "true", "2026-13-45T99:99:99Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1" * 18,
    "00000000-0000-0000-0000-000000000000", "..", "/", "http://127.0.0.1:1/", "deployment", "development",
]  # fmt: skip
OTHERS: list[Any] = [
    None, True, False, 0, -1, 1.5, 1e308, 2**31 - 1, 2**31, 2**63, -(2**63) - 1, 10**400, float("nan"),
    float("inf"), [], {}, [[]], {"": ""}, {"$ne": None}, {"\0": "\0"}, [None] * 300, _nested(50),
    {"a": _nested(50)},
]  # fmt: skip

# A body → bytes that are no JSON, or not the JSON that it was.
Spoil = Callable[[Any], bytes]
SPOILED: list[Spoil] = [
    lambda body: json.dumps(body).encode()[:-1],
    lambda body: json.dumps(body).encode("utf-16"),
    lambda body: json.dumps(f"é{body}", ensure_ascii=False).encode("latin-1", "replace"),
    lambda body: b"\xef\xbb\xbf" + json.dumps(body).encode(),
    lambda body: json.dumps(body).encode() * 2,
    lambda body: b'{"reason": "a", "reason": ' + json.dumps(body).encode() + b"}",
    lambda _: b"[" * 100_000,
    lambda _: b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    lambda _: b"9" * 20_000,
    lambda _: b'{"version": 1e999, "reason": -Infinity}',
    lambda _: b"\0" * 100,
    lambda _: b"a=b&c=d",
    lambda _: b" " * 10,
    lambda _: b"",
]


def value(chance: Random) -> Any:
    """Any of all these."""
    return chance.choice(chance.choice((CORPUS, TEXTS, OTHERS)))


def changed(found: Any, chance: Random) -> Any:
    """The same with another value, a field more or a field less at some place of it."""
    if isinstance(found, dict) and found and chance.random() < 0.9:
        name = chance.choice(list(found))
        what = chance.random()
        if what < 0.15:
            return {one: kept for one, kept in found.items() if one != name}
        if what < 0.25:
            return {**found, chance.choice((*CORPUS, *TEXTS)): value(chance)}
        return {**found, name: changed(found[name], chance)}
    if isinstance(found, list) and found and chance.random() < 0.7:
        at = chance.randrange(len(found))
        return [*found[:at], changed(found[at], chance), *found[at + 1 :]]
    return value(chance)
