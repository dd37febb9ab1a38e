"""Comparing texts and documents."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvdops.spec.parser import parse
from cvdops.web.catalog.alignment import blocks
from cvdops.web.catalog.comparison import MOST, compare
from cvdops.web.catalog.structure import differences

ITEMS = st.lists(st.integers(0, 4), max_size=14)


def longest(old: list[int], new: list[int]) -> int:
    """The length of the longest common subsequence, by the book."""
    row = [0] * (len(new) + 1)
    for item in old:
        before = row
        row = [0]
        for j, other in enumerate(new):
            row.append(before[j] + 1 if item == other else max(before[j + 1], row[-1]))
    return row[-1]


@given(ITEMS, ITEMS)
def test_blocks_cover_both_sides_with_as_few_changes_as_can_be(
    old: list[int], new: list[int]
) -> None:
    found = list(blocks(old, new))
    assert [i for block in found for i in block.old] == list(range(len(old)))
    assert [j for block in found for j in block.new] == list(range(len(new)))
    same = [block for block in found if block.same]
    assert all(old[b.old.start : b.old.stop] == new[b.new.start : b.new.stop] for b in same)
    assert sum(len(block.old) for block in same) == longest(old, new)


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_two_texts_can_be_compared(old: str, new: str) -> None:
    found = compare(old, new)
    assert "<script" not in found.html
    assert compare(old, old).same


CHANCE = random.Random(1)  # noqa: S311


@pytest.mark.parametrize("kinds", [3, 500, 20_000])
def test_two_documents_of_20000_lines_are_compared_soon(kinds: int) -> None:
    old, new = (
        "\n".join(f"line {CHANCE.randrange(kinds)}" for _ in range(19_990)) for _ in range(2)
    )
    before = time.process_time()
    found = compare(old, new)
    assert time.process_time() - before < 15  # a second or less where the machine has time
    assert found.html.count("<tr") < 12 * MOST


def test_a_document_larger_than_a_page_is_cut_and_says_so() -> None:
    found = compare("", "\n".join(str(number) for number in range(MOST + 10)))
    assert found.cut == 10


def test_lines_far_from_a_change_are_left_out() -> None:
    text = "\n".join(str(number) for number in range(100))
    found = compare(text, text.replace("\n50\n", "\nfifty\n"))
    assert found.html.count("lines that are the same") == 2
    assert (found.removed, found.added) == (1, 1)


def test_a_character_that_hides_makes_a_difference_that_is_seen() -> None:
    found = compare("rm a\n", "rm \u202ea\n")
    assert "⟨U+202E⟩" in found.html


def test_documents_differ_by_what_they_do() -> None:
    head = "---\nformat: 1\nid: a\n---\n# A\n\n## Procedures\n\n### P {#p .procedure}\n"
    old = parse(head + "```bash {#one}\ntrue\n```\n```bash {#two}\ntrue\n```\n")
    new = parse(head + "```bash {#one destructive}\ntrue\n```\n```sh {#three}\ntrue\n```\n")
    found = differences(old, new)
    assert [(c.verb, c.name) for c in found.steps] == [
        ("added", "three"),
        ("removed", "two"),
        ("changed", "one"),
    ]
    assert found.steps[2].details == ("destructive: no → yes",)
    assert [c.details for c in found.procedures] == [("steps: one, two → one, three",)]
    assert differences(old, old).same
