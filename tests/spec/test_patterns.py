"""Which patterns are accepted, and that all of those are quick."""

import time

import pytest

from cvdops.spec import patterns
from cvdops.spec.document import Expect
from cvdops.spec.parser import parse
from cvdops.spec.samples import compare
from cvdops.spec.values import check


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
    assert time.process_time() - start < 30


@pytest.mark.parametrize("pattern", [".*.*!", ".*.*.*!", "[a-z]{1,9}" * 6 + "!", "(a?b?){3}c"])
@pytest.mark.parametrize("length", [64, 300, 4096])
def test_many_values_are_judged_quickly(pattern: str, length: int) -> None:
    declared = "".join(f"  V{n}: {{pattern: '{pattern}'}}\n" for n in range(300))
    runbook = parse(f"---\nvariables:\n{declared}---\n# T\n\n## Procedures\n\n```bash\nls\n```\n")
    given = {variable.name: "a" * length for variable in runbook.variables}
    assert given
    start = time.process_time()
    assert check(runbook, "procedures", given, {})[1]
    assert time.process_time() - start < 30


@pytest.mark.parametrize("pattern", ["(a+)+$", ".*.*.*!", "[a-z]{1,9}" * 7, r"\d+\.\d+\.\d+"])
def test_an_output_is_searched_quickly(pattern: str) -> None:
    start = time.process_time()
    compare(pattern, "\n".join(["a" * 60] * 3_000), Expect.REGEX)
    assert time.process_time() - start < 30
