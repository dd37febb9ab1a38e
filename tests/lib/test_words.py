"""Text as it is searched, and what somebody looks for."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cvdops.lib.words import LONGEST, asked, finder, folded, spelled, uncoloured, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Connection REFUSED", " connection  refused "),
        ("web-1 \t ok\r\n=2", " web - 1  ok  \n = 2 "),
        ("\x1b[31merror\x1b[0m: disk", " error :  disk "),
        ("re\x1b[1mset a\0b", " reset  a  b "),
        ("Straße_ΟΔΟΣ.é", " strasse _ οδοσ . é "),
        ("", " "),
    ],
)
def test_text_is_spelled_word_by_word(text: str, found: str) -> None:
    assert spelled(text) == found


def test_the_index_has_words_and_what_they_touch_and_of_a_long_one_the_beginning() -> None:
    long = "x" * 2 * LONGEST
    assert words(spelled("--a  1.5\nb_c")) == {*"-a1.5b_c", "--a", "1.5", "b_c"}
    assert words(spelled(f"{long} {long}")) == {long[:LONGEST]}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("disk Full", ["disk", "full"]),
        ("--force -17.25 or", ["--force", "-17.25", "or"]),
        ('"no  space" left', ["no space", "left"]),
        ('a"b c" "unclosed quote', ['a"b', 'c"', '"unclosed', "quote"]),
        ('"level":"error" "" " "', ['"level":"error"', '""', '"', '"']),
        ("  ", []),
    ],
)
def test_each_word_is_looked_for_as_it_is_typed(text: str, found: list[str]) -> None:
    assert asked(text) == [spelled(one) for one in found]


@given(st.text("ab1_.-(\\ é\t"), st.text("ab1_.-(\\ é", min_size=1))
@example("x a  b.c", "a b.c")
def test_a_line_has_what_it_would_hold_if_it_were_spelled(line: str, typed: str) -> None:
    for one in asked(f'"{typed}"'):
        assert bool(finder(one).search(folded(line))) == (one in spelled(line))


def test_colours_are_no_text() -> None:
    assert uncoloured("\x1b[1;32mok\x1b]0;title\x07!") == "ok!"
