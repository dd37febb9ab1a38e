"""Bytes of a program become lines that cannot act."""

import re
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvdops.lib.visible import visible
from cvdops.web.live.terminal import WIDTH, Terminal

SAFE = re.compile(r'(?:[^<>]|<span class="(?:t-[a-z0-9]+ ?)+">|</span>)*')
PIECES = st.lists(
    st.one_of(
        st.binary(max_size=20),
        st.sampled_from(
            [b"\x1b[31m", b"\x1b[0m", b"\x1b]0;title\x07", b"\x1b]8;;http://x\x1b\\", b"\r", b"\n"]
        ),
        st.sampled_from(
            [b"\x1b[38;5;196m", b"\x1b[48;2;1;2;3m", b"\x9b31m", b"\xc2\x9b1m", b"\x1bP"]
        ),
        st.sampled_from([b"<script>", b'"onload=', b"&amp;", "€".encode(), "\u202e".encode()]),
    ),
    max_size=40,
)


def shown(data: bytes) -> list[str]:
    return [line.html for line in Terminal().feed(data)]


@given(PIECES)
def test_nothing_but_spans_with_classes_comes_out(pieces: list[bytes]) -> None:
    for html in shown(b"".join(pieces)):
        assert SAFE.fullmatch(html)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", html)


@given(PIECES, st.integers(1, 7))
@settings(max_examples=200)
def test_where_the_pieces_are_cut_does_not_matter(pieces: list[bytes], size: int) -> None:
    data = b"".join(pieces)
    screen: dict[int, str] = {}
    terminal = Terminal()
    for start in range(0, len(data), size):
        lines = terminal.feed(data[start : start + size])
        for begin in [begin for begin in screen if lines and begin >= lines[0].start]:
            del screen[begin]
        screen |= {line.start: line.html for line in lines}
    assert list(screen.values()) == shown(data)


def test_colours_become_classes() -> None:
    assert shown(b"\x1b[1;31mred\x1b[0m plain") == ['<span class="t-bold t-f1">red</span> plain']


@pytest.mark.parametrize(
    ("code", "css"), [(b"38;5;9", "t-f9"), (b"38;2;250;0;0", "t-f9"), (b"48;5;16", "t-b0")]
)
def test_many_colours_become_the_nearest_of_sixteen(code: bytes, css: str) -> None:
    assert shown(b"\x1b[" + code + b"mx") == [f'<span class="{css}">x</span>']


def test_a_progress_line_shows_what_was_written_last() -> None:
    marked = 'done<span class="t-over"></span>'
    assert shown(b"10%\r50%\rdone\r\nnext") == [marked, "next"]
    assert shown(b"\rfirst\r\n") == ["first"]


def test_other_sequences_are_dropped() -> None:
    assert shown(b"a\x1b]0;title\x07b\x1b[2Jc\x1b(Bd\x1bP1;2q#\x1b\\e") == ["abcde"]


def test_a_sequence_that_nobody_ends_swallows_its_own_line_only() -> None:
    assert shown(b"a\x1b]0;never ended\nb") == ["a", "b"]


def test_control_characters_are_seen() -> None:
    assert shown(b"\x07") == ['<span class="t-control">␇</span>']


@pytest.mark.parametrize("line", [b"a\x07\x08b<\x00", b"\x07a" * 500, "\u202ea".encode() * 900])
def test_a_line_looks_the_same_whatever_stands_before_it(line: bytes) -> None:
    alone, after_a_cut = shown(line), shown(b"x" * WIDTH + b"\n" + line)[1:]
    in_colours = shown(b"\x1b[1m\x1b[0m" + line)
    assert alone == after_a_cut == in_colours == shown(b"\n" + line + b"\n")[1:]


def test_text_that_turns_direction_is_seen() -> None:
    assert "\u202e" not in visible("rm \u202efdp.exe") and "U+202E" in visible("\u202e")


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert shown(b"\xff\xfe ok") == ["\ufffd\ufffd ok"]


def test_a_character_cut_in_two_is_put_together() -> None:
    terminal = Terminal()
    terminal.feed("€".encode()[:2])
    assert terminal.feed("€".encode()[2:])[0].html == "€"


def test_a_long_line_is_cut_and_its_parts_are_known_apart() -> None:
    lines = Terminal(100).feed(b"x" * (WIDTH + 1) + b"\ny")
    assert [(line.start, len(line.html), line.continued) for line in lines] == [
        (100, WIDTH, False),
        (100 + WIDTH, 1, True),
        (100 + WIDTH + 2, 1, False),
    ]


@pytest.mark.parametrize(
    ("line", "most"),
    [
        (b"", 2),
        (b"\r", 2),
        (b"a", 2),
        (b"ok: 200 lines", 2),
        (b"\x07", 6),
        (b"\x07a" * 100, 6),
        (b"\x1b[H" * 100, 20),
        (b"\x1b[1m\x1b[0m", 30),
    ],
)
def test_a_short_line_takes_few_calls(line: bytes, most: int) -> None:
    """A megabyte of bare line ends is a million of them."""
    calls = 0

    def counted(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    data, lines = (line + b"\n") * 1000, Terminal()
    lines.feed(data)  # what is made once is made
    sys.setprofile(counted)
    try:
        lines.feed(data)
    finally:
        sys.setprofile(None)
    assert calls <= 1000 * most + 50


@pytest.mark.parametrize(
    "unit",
    [b"x", b"\x1b", b"\x1b[", b"\x1b]", b"\x1b[31m", b"\r", b"\x07", b"\n", b"\x1b[1", b"\r\x07"],
)
def test_time_is_linear(unit: bytes) -> None:
    def seconds(size: int) -> float:
        data = unit * (size // len(unit))
        began = time.process_time()
        Terminal().feed(data)
        return time.process_time() - began

    small, large = (min(seconds(size) for _ in range(3)) for size in (10_000, 160_000))
    assert large < 0.1 + small * 16 * 6  # by its square it would be 256 times as long
