"""Text as words, and what somebody looks for as a query of words."""

import pytest

from cvdops.lib.words import asked, looked_for, uncoloured, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Connection REFUSED", ["connection", "refused"]),
        ("web-1.example.com", ["web", "1", "example", "com"]),
        ("\x1b[31merror\x1b[0m: disk", ["error", "disk"]),
        ("re\x1b[1mset", ["reset"]),
        ("key=••• é_ü", ["key", "é", "ü"]),
        ("x" * 100, ["x" * 64]),
        ("", []),
    ],
)
def test_words(text: str, found: list[str]) -> None:
    assert words(text) == found


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("disk full", "disk full"),
        ("/var/log", '"var log"'),
        ('"no space" -warning', '"no space" -warning'),
        ("-web-1", '-"web 1"'),
        ("timeout or refused", "timeout or refused"),
        ('"or"', '"or"'),
        ("'; DROP TABLE x; --", "drop table x"),
        ("••• !& | ()", ""),
        ("or", ""),
        ('"unclosed quote', '"unclosed quote"'),
    ],
)
def test_a_query_is_made_of_words(text: str, query: str) -> None:
    assert asked(text) == query


def test_what_must_not_be_there_is_not_looked_for() -> None:
    assert looked_for('disk -full "on web-1" or') == {"disk", "on", "web", "1"}


def test_colours_are_no_text() -> None:
    assert uncoloured("\x1b[1;32mok\x1b]0;title\x07!") == "ok!"
