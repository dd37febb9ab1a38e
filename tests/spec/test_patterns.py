"""Which patterns are accepted, and that all of those are quick."""

import time

import pytest

from cvdops.spec import patterns


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+",
        "(a*)*$",
        "(a|aa)+",
        "([a-z]+-?)*",
        "(?:a{1,30}){1,30}",
        ".*.*.*.*.*=",
        r"(a)\1",
        "(?=a)a",
        "(?P<x>a)",
        "[",
        "[[a]",
        "[---\n]",
        "[a&&b]",
        "a" * 301,
        "(" * 50 + ")" * 50,
        "a{1,999999}{1,999999}",
    ],
)
def test_dangerous_and_broken_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(patterns.PatternError):
        patterns.check(pattern)


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("[a-z0-9_-]{1,40}", "a-1", "a b"),
        (r"v[0-9]+\.[0-9]+\.[0-9]+", "v1.2.3", "v1.2.3\n"),
        ("backup|restore", "restore", "backups"),
        (r"[a-z]+(?:\.[a-z]{2,10}){1,3}", "a.bc", "a"),
        ("", "", "x"),
        (r"[]\]a]+", "]a", "b"),
    ],
)
def test_ordinary_patterns_cover_the_whole_value(pattern: str, good: str, bad: str) -> None:
    patterns.check(pattern)
    assert patterns.fits(pattern, good)
    assert not patterns.fits(pattern, bad)


@pytest.mark.parametrize("pattern", ["a*a*a*b", "a*a*b", ".*.*.*.*x", "(?:a{0,3}){0,6}b"])
def test_an_accepted_pattern_is_quick_on_the_longest_value(pattern: str) -> None:
    patterns.check(pattern)
    value = "a" * patterns.longest_value(pattern, 4096)
    start = time.process_time()
    assert not patterns.fits(pattern, value)
    assert time.process_time() - start < 8
