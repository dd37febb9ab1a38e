"""Plain text of an output is what the terminal shows of it, whatever comes, and found in no time."""

import html
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvdops.live.plain import plain, whole_lines
from cvdops.web.live.terminal import Terminal
from tests.live.test_terminal import PIECES

TAGS = re.compile(r"<span class=\"[a-z0-9 -]+\">|</span>")


def shown(data: bytes) -> str:
    lines = Terminal().feed(data)
    return "\n".join(html.unescape(TAGS.sub("", line.html)) for line in lines)


@given(PIECES)
def test_it_is_what_the_terminal_shows(pieces: list[bytes]) -> None:
    data = b"".join(pieces) + b"\n"
    assert plain(data).rstrip("\n") == shown(data).rstrip("\n")


def test_colours_go_and_a_progress_line_is_as_it_was_in_the_end() -> None:
    assert plain(b"\x1b[1mone\x1b[0m\r\n10%\r100%\n") == "one\n100%\n"


@pytest.mark.parametrize("unit", [b"\x1b", b"\x1b[", b"\x1b]", b"\r", b"\x1b[1", b"x\r", b"\x9b"])
def test_time_is_linear(unit: bytes) -> None:
    def seconds(size: int) -> float:
        data = unit * (size // len(unit))
        began = time.process_time()
        plain(data)
        return time.process_time() - began

    small, large = (min(seconds(size) for _ in range(3)) for size in (10_000, 160_000))
    assert large < 0.1 + small * 16 * 6


@given(st.lists(st.sampled_from([b"a\n", b"bc", b"\n\n", b"x" * 400_000])), st.booleans())
def test_pieces_are_cut_at_line_ends_and_lose_nothing(pieces: list[bytes], last: bool) -> None:
    given_pieces = [*pieces, b"end"] if last else pieces
    cut = list(whole_lines(given_pieces))
    assert b"".join(cut) == b"".join(given_pieces)
    assert all(piece.endswith(b"\n") or len(piece) > 1 << 20 for piece in cut[:-1])
