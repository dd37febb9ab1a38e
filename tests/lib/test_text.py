"""Text that arrives in pieces is cut between characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvdops.lib.text import complete_utf8


@given(st.text(), st.integers(0, 3))
def test_cuts_between_characters(text: str, missing: int) -> None:
    data = text.encode()
    piece = data[: len(data) - missing]
    whole = complete_utf8(piece)
    assert piece.startswith(whole)
    assert text.startswith(whole.decode())


@given(st.text())
def test_keeps_whole_text(text: str) -> None:
    assert complete_utf8(text.encode()) == text.encode()


@pytest.mark.parametrize("data", [b"\xff", b"abc\x80\x80\x80\x80", b"\x80", b""])
def test_keeps_bytes_that_are_no_text(data: bytes) -> None:
    assert complete_utf8(data) == data


@given(st.binary())
def test_holds_back_less_than_a_character(data: bytes) -> None:
    assert len(data) - len(complete_utf8(data)) <= 3
