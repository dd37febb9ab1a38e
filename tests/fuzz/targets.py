"""What reads text or bytes that others wrote, with what it is fed and what it may answer."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from itertools import pairwise
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from hypothesis import strategies as st

from cvdops import settings
from cvdops.catalog.origin import WrongOrigin, origin
from cvdops.lib.redaction import Masker
from cvdops.lib.text import complete_utf8
from cvdops.lib.visible import visible
from cvdops.runners.http import Broken
from cvdops.runners.job import Vanished
from cvdops.runners.session import END, read_session
from cvdops.runners.verdict import exit_code
from cvdops.spec import frontmatter, http, patterns, sql
from cvdops.spec.conditions import ConditionError, evaluate
from cvdops.spec.document import Expect
from cvdops.spec.filling import FillError, fill, readable
from cvdops.spec.parser import parse
from cvdops.spec.samples import compare
from cvdops.spec.serialise import to_json
from cvdops.spec.study import study
from cvdops.spec.values import check
from cvdops.web.live.terminal import Terminal
from tests.http_server import HttpServer
from tests.runners.http.asking import Asker
from tests.spec import attacks
from tests.spec.documents import ANNOTATED, PLAIN
from tests.spec.test_attacks import judge
from tests.spec.test_properties import PIECES
from tests.spec.test_sql import HARMLESS

Target = tuple[st.SearchStrategy[Any], Callable[[Any], None]]


def changed(seeds: list[str], pieces: list[str]) -> st.SearchStrategy[str]:
    """The seeds with pieces, arbitrary text and copies of themselves in places of theirs."""
    change = st.tuples(
        st.floats(0, 1),
        st.integers(0, 40),
        st.one_of(st.sampled_from(pieces), st.text(max_size=8), st.just("")),
        st.sampled_from([1, 1, 1, 2, 30]),
    )

    def apply(seed: str, changes: list[tuple[float, int, str, int]]) -> str:
        for place, removed, piece, times in changes:
            at = int(place * len(seed))
            seed = seed[:at] + piece * times + seed[at + removed :]
        return seed

    return st.builds(apply, st.sampled_from(seeds), st.lists(change, max_size=8))


def cut(data: bytes, places: list[float]) -> list[bytes]:
    borders = [0, *sorted(int(p * len(data)) for p in places), len(data)]
    return [data[a:b] for a, b in pairwise(borders)]


def documents(source: str) -> None:
    found = study(source.encode("utf-8", "replace"), "x.md", date(2026, 1, 1), annotated=True)
    json.dumps(to_json(found.runbook))
    judge(found.html)
    again = parse(found.annotated)
    assert [s.id for s in again.steps] == [s.id for s in found.runbook.steps]


def conditions(text: str) -> None:
    with suppress(ConditionError):
        evaluate(text, {"A": "b", "ENVIRONMENT": "production"})


def yaml(text: str) -> None:
    with suppress(frontmatter.YamlError):
        frontmatter.load(text)


def requests(given: tuple[str, dict[str, str]]) -> None:
    text, typed = given
    with suppress(http.RequestError, FillError):
        request = http.read(text)
        readable(request, typed)
        sent = fill(request, {"BASE_URL": "http://a:1/b", **typed})
        heads = [sent.origin.authority, sent.target, *(value for _, value in sent.headers)]
        assert not {"\r", "\n", "\0"} & set("".join(heads))
        assert sent.target.isascii()


def answers(told: bytes) -> None:
    with HttpServer(told) as server, suppress(Broken):
        answer = Asker().ask(f"GET {server.url}")
        assert len(answer.body) <= len(told)


def statements(text: str) -> None:
    with suppress(sql.StatementError):
        sql.check(text)
        bound = sql.for_psql(text)
        assert bound.count("\n") == text.count("\n")
        assert sql.names(text) == () or bound != text


def expressions(given: tuple[str, str]) -> None:
    pattern, value = given
    with suppress(patterns.PatternError):
        patterns.check(pattern)
        longest = patterns.longest_value(pattern, 4096)
        patterns.fits(pattern, (value * 4096)[:longest])


def values(given: tuple[str, dict[str, str]]) -> None:
    declaration, typed = given
    runbook = parse(f"---\nvariables:\n  A: {declaration}\n  B: {{}}\n---\n# T\n")
    check(runbook, "", typed, {"ENVIRONMENT": "production"})


def outputs(given: tuple[str, str, Expect | None]) -> None:
    compare(*given)


def terminal(given: tuple[bytes, list[float]]) -> None:
    data, places = given
    shown: dict[int, str] = {}
    screen = Terminal()
    for piece in cut(data, places):
        lines = screen.feed(piece)
        for start in [start for start in shown if lines and start >= lines[0].start]:
            del shown[start]
        shown |= {line.start: line.html for line in lines}
    assert list(shown.values()) == [line.html for line in Terminal().feed(data)]
    visible(data.decode(errors="replace"))


def masking(given: tuple[list[str], bytes, list[float]]) -> None:
    secrets, data, places = given
    whole, pieces = Masker(secrets), Masker(secrets)
    expected = whole.feed(data) + whole.flush()
    assert b"".join([*map(pieces.feed, cut(data, places)), pieces.flush()]) == expected
    assert not [secret for secret in secrets if secret.encode() in expected]


def sessions(dump: bytes) -> None:
    session = read_session(dump)
    assert all("\0" not in name for name in session.variables)
    with suppress(Vanished):
        exit_code(dump[:6], running=False)
    complete_utf8(dump)


def addresses(url: str) -> None:
    with suppress(ImproperlyConfigured):
        settings._database(url)
    with suppress(ImproperlyConfigured):
        settings._redis(url)
    with suppress(WrongOrigin):
        origin(url, url, url)


DECLARED = (
    "/srv\n\0declare -- A=\"b\"\ndeclare -ax L=([0]=\"x\" [1]=$'a\\nb')\ndeclare -x E=$'\\x41\\'\\\\'"
    '\ndeclare -i N="1"\ndeclare -- Q="a\\"b\\$c"\n'
)
DUMPS = [DECLARED + END.decode(), "/\n\0A=b\0C=\0PATH=/bin" + END.decode(), "/\n\0" + END.decode()]
DUMPED = [
    "\0",
    "\0end",
    "declare -",
    '"',
    "\\",
    "$'",
    "'",
    "(",
    ")",
    "=",
    "\n",
    "A=",
    "[0]=",
    "\\x4",
]
ESCAPES = [
    *(
        "\x1b[31m",
        "\x1b[0m",
        "\x1b[38;5;196m",
        "\x1b[48;2;1;2;3m",
        "\x1b]8;;http://x\x1b\\",
        "\x1b]52;",
    ),
    *(
        "\x1b]1337;File=:",
        "\x07",
        "\r",
        "\n",
        "\r\n",
        "\x9b",
        "\x1bP",
        "\x1b(",
        "\x1b",
        "\u202e",
        "\t",
    ),
    *(
        "<script>",
        '"',
        "&",
        "\u200b",
        "\U0001f642",
        "\x1b[999999999A",
        "\x1b[2J",
        "x" * 500,
        "\x00",
    ),
]
REGULAR = [
    "a",
    "b?",
    "[a-z]",
    "+",
    "*",
    "(",
    ")",
    "(?:",
    "|",
    "{1,9}",
    "{0,}",
    "\\d",
    ".",
    "^",
    "$",
    "[^",
    "]",
]
URLS = [
    "postgresql://user:p%40ss@localhost:5432/db?sslmode=require",
    "redis://:secret@localhost:6379/0?socket_timeout=1",
    "unix:///run/redis.sock?db=2",
    "https://git.example/ops/runbooks.git",
    "ssh://git@[::1]:22/~/x.git",
]
SAMPLES = [
    "ok ... 12 ms\n2026-01-01T00:00:00Z",
    "<id> is ${NAME}",
    '{"status": "healthy"}\n',
    "a  b\n\n",
]
CONDITIONS = ['A == b and not (ENVIRONMENT in (a, "b c"))', "A"]
IN_CONDITIONS = ["(", ")", "not ", "==", '"', "in ", ","]
YAML = ["a: {b: [1, true]}\nc: |\n  x\n", '"k": &a *a\n? x\n: !!y z\n']
REQUESTS = [
    "POST ${BASE_URL}/a?b HTTP/1.1\nA: b\n\n{}",
    "GET http://${A}:${B}/${C}/..?q=${A}\nX: ${B}\n",
    'PUT ${A}/${B}\nContent-Type: application/json\n\n{"a": "${C}", "b": ${B}}',
]
ANSWERS = [
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nLocation: /\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n",
]
IN_REQUESTS = ["${", "}", "://", "\n", ": ", "@", "#", "$", "\\", '"', "[", "%", "${A}"]
IN_ANSWERS = [
    "\r\n",
    "\n",
    ": ",
    "HTTP/1.1 100 X\r\n\r\n",
    "-",
    "f" * 9,
    "0\r\n",
    "gzip",
    "\0",
    "é",
]
IN_STATEMENTS = [
    "'",
    '"',
    "$$",
    "$a$",
    "E'",
    "--",
    "/*",
    "*/",
    "\\",
    ":A",
    "::",
    "\n.",
    "edit",
    "(",
]
DECLARATIONS = ["{type: integer, minimum: 1}", "{type: url}", '{pattern: "[a-z]{1,9}"}']
IN_URLS = ["://", "[", "]", ":", "@", "/", "?", "%00", "#", "::", "\u2100", "&"]
PRINTED = ["12:00:01", "1 s ", "10.0.0.1", "Mon, ", "\x1b[1m", "-", "\n"]
IN_SAMPLES = ["...", "<x>", "1 s", "10.0.0.1:80", "a.b.com", "deadbeef1", *REGULAR]
TEXT = st.text("ab\"'\\ €+/", max_size=200).map(str.encode)

secrets = st.lists(st.text("ab\"'\\ €+/", min_size=6, max_size=12), max_size=3).filter(
    lambda found: all(len(secret.strip()) >= 6 for secret in found)
)
places = st.lists(st.floats(0, 1), max_size=6)

pattern = st.lists(st.sampled_from(REGULAR), max_size=14).map("".join)
typed = st.dictionaries(st.sampled_from("ABC"), st.text(max_size=40), max_size=3)
sample = changed(SAMPLES, IN_SAMPLES)
output = changed(SAMPLES, PRINTED)
screen = changed(["a\x1b[1mb\n", "".join(ESCAPES)], ESCAPES).map(str.encode)

TARGETS: dict[str, Target] = {
    "documents": (changed([ANNOTATED, PLAIN], PIECES), documents),
    "attacks": (changed([attacks.DOCUMENT, ANNOTATED], [*PIECES, *attacks.ALL]), documents),
    "conditions": (changed(CONDITIONS, IN_CONDITIONS), conditions),
    "yaml": (changed(YAML, ["- ", ": ", "{", "[", "<<", "'", "&a ", "*a", "!!x "]), yaml),
    "requests": (st.tuples(changed(REQUESTS, IN_REQUESTS), typed), requests),
    "answers": (changed(ANSWERS, IN_ANSWERS).map(str.encode) | st.binary(), answers),
    "statements": (changed(HARMLESS, IN_STATEMENTS), statements),
    "expressions": (st.tuples(pattern, st.sampled_from("ab1 ")), expressions),
    "values": (st.tuples(changed(DECLARATIONS, [*REGULAR, ": "]), typed), values),
    "outputs": (st.tuples(sample, output, st.sampled_from([None, *Expect])), outputs),
    "terminal": (st.tuples(screen | st.binary(), places), terminal),
    "masking": (st.tuples(secrets, TEXT | st.binary(), places), masking),
    "sessions": (changed(DUMPS, DUMPED).map(str.encode) | st.binary(), sessions),
    "addresses": (changed(URLS, IN_URLS), addresses),
}
