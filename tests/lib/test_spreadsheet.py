"""No cell of a file is a formula, and none hides what it says."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvdops.lib.spreadsheet import cell, row


@pytest.mark.parametrize(
    "text",
    ["=cmd()", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "=HYPERLINK('x')"],
)
def test_a_formula_becomes_text(text: str) -> None:
    assert cell(text).startswith("'")


@pytest.mark.parametrize("text", ["", "a=b", "10.0.0.7", "O'Hara", "2026-11-26"])
def test_anything_else_stays(text: str) -> None:
    assert cell(text) == text


def test_an_override_of_the_direction_is_shown() -> None:
    assert cell("a\u202egpj.exe") == "a⟨U+202E⟩gpj.exe"


@given(st.lists(st.text(), min_size=1))
def test_a_line_is_read_as_it_was_written(values: list[str]) -> None:
    (read,) = csv.reader(io.StringIO(row(values), newline=""))
    assert read == [cell(value) for value in values]
    assert not any(value.lstrip(" ").startswith(("=", "+", "-", "@", "\t")) for value in read)
