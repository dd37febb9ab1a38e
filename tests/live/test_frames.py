"""Events on the wire, and positions that come back."""

import json

import pytest

from cvdops.live.frames import Start, frame, start

NOT_POSITIONS = ["", "-1", "1.5", "abc", "10" * 20, "٣", "1 ", "0x1", "1\n", "null"]


@pytest.mark.parametrize("text", ["a\nevent: bye", "a\r\nid: 9", "a\rdata: x", "\u2028"])
def test_no_text_can_start_a_field_of_its_own(text: str) -> None:
    lines = frame("output", {"text": text}, 5).decode().split("\n")
    assert lines[:2] == ["event: output", "id: 5"]
    assert json.loads(lines[2].removeprefix("data: ")) == {"text": text}
    assert lines[3:] == ["", ""]


@pytest.mark.parametrize("text", NOT_POSITIONS)
def test_what_is_no_position_resets(text: str) -> None:
    assert start(text, None, 10) == Start(10, reset=True)


def test_a_position_of_the_future_resets() -> None:
    assert start("11", None, 10).reset


def test_the_larger_valid_position_counts() -> None:
    assert start("3", "7", 10) == Start(7)
    assert start("3", "99", 10) == Start(3)
    assert start("nonsense", "7", 10) == Start(7)


def test_without_a_position_it_begins_now() -> None:
    assert start(None, None, 10) == Start(10)
