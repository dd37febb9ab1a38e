"""Output of a step for somebody's terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvdops.lib.sgr import Sgr


def shown(data: bytes, *, colours: bool = True, cut: int = 0) -> bytes:
    sgr = Sgr(colours=colours)
    pieces = [data[i : i + cut] for i in range(0, len(data), cut)] if cut else [data]
    return b"".join(sgr.feed(piece) for piece in pieces) + sgr.end()


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (b"plain \xc3\xa9 \xe2\x9c\x93\n", b"plain \xc3\xa9 \xe2\x9c\x93\n"),
        (b"50 %\r100 %\tdone\n", b"50 %\r100 %\tdone\n"),
        (b"\x1b[1;31mred\x1b[0m", b"\x1b[1;31mred\x1b[0m"),
        (b"\x1b[38;5;9mred", b"\x1b[38;5;9mred\x1b[0m"),  # whoever left it on
        (b"\x1b[2J\x1b[10;10Hgone", b"gone"),
        (b"\x1b]0;title\x07after", b"after"),
        (b"\x1b]52;c;Y29weQ==\x1b\\after", b"after"),
        (b"\x1bP$q\x1b\\after", b"after"),
        (b"\x1b(0after", b"after"),
        (b"\x1bcafter", b"after"),
        (b"\xc2\x9b31mred", b"\x1b[31mred\x1b[0m"),
        (b"\x9b2Jafter", b"after"),
        (b"\x07\x08bell", b"bell"),
        (b"\x1b]0;never ended\nnext", b"\nnext"),
        (b"\x1b[?25m\x1b[>4;1mx", b"x"),
        (b"bytes \xff\xfe stay", b"bytes \xff\xfe stay"),
    ],
)
def test_colours_stay_and_other_sequences_go(data: bytes, kept: bytes) -> None:
    assert shown(data) == kept
    for cut in (1, 2, 3):
        assert shown(data, cut=cut) == kept


def test_without_colours_none_stay() -> None:
    assert shown(b"\x1b[31mred\x1b[0m", colours=False) == b"red"


@given(st.binary(max_size=80), st.integers(1, 9))
def test_where_pieces_end_makes_no_difference(data: bytes, cut: int) -> None:
    assert shown(data, cut=cut) == shown(data)


@given(st.text(st.characters(blacklist_categories=["Cc", "Cs"]), max_size=80))
def test_text_stays_as_it_is(text: str) -> None:
    assert shown(text.encode()) == text.encode()


@given(
    st.lists(
        st.sampled_from(
            [b"\x1b", b"[", b"]", b"P", b"m", b"1", b";", b"\x07", b"\n", b"x", b"\x9b"]
        )
    )
)
def test_no_other_sequence_ever_gets_through(pieces: list[bytes]) -> None:
    rest = shown(b"".join(pieces))
    while (start := rest.find(b"\x1b")) >= 0:
        assert rest[start + 1 : start + 2] == b"["
        end = start + 2
        while rest[end : end + 1] in (b"1", b"0", b";"):
            end += 1
        assert rest[end : end + 1] == b"m"
        rest = rest[end:]
