"""What counts as a kept promise."""

import time

import pytest

from cvdops.spec.document import Expect
from cvdops.spec.samples import all_or_nothing, compare


@pytest.mark.parametrize(
    ("sample", "output"),
    [
        ("ok", "ok\n"),
        ("a\nc", "a\nb\nc"),
        ("Done in 3.2s at 2026-01-02 10:11:12", "Done in 14 ms at 2027-11-30T01:02:03Z"),
        ("-rw-r--r-- 1 root root 1.2M Jan  3 10:00 x", "-rw-r--r-- 1 root root 33K Dec 14 2025 x"),
        ("backup_20260101_101010.db", "backup_20271101_222222.db"),
        ("commit 3f2a9c1d", "commit deadbee1"),
        ("id 123e4567-e89b-12d3-a456-426614174000", "id 00000000-0000-0000-0000-000000000000"),
        ("disk 12% of 40G", "disk 99% of 1.5 TiB"),
        ("up 3 days, 2:11, load", "up 9 days, 15:33, load"),
        ("listening on 127.0.0.1:8000", "listening on 10.0.0.7:80"),
        ("GET http://localhost:8000/health", "GET https://cvd.example.com/health"),
        ("Active: active (running) since ...", "  Active: active (running) since Mon; ok"),
        ('{"status": "healthy", ...}', '{"status":  "healthy", "v": 1}'),
        ("Deployed <version> by …", "Deployed v1 by me"),
        ("\x1b[32mok\x1b[0m", "ok"),
        ("...", ""),
        ("", ""),
    ],
)
def test_kept(sample: str, output: str) -> None:
    assert compare(sample, output, None).verdict == "kept"


@pytest.mark.parametrize(
    ("sample", "output"),
    [
        ("ok", "not ok"),
        ("ok", ""),
        ("HTTP/1.1 200 OK", "HTTP/1.1 500 OK"),
        ("a\nb", "b\na"),
        ("users: 5", "users: 7"),
        ("v1.0.1", "v1.0.2"),
        ("status: active", "status: failed at 10:00"),
        ("ends ... here", "ends there"),
    ],
)
def test_differs(sample: str, output: str) -> None:
    result = compare(sample, output, None)
    assert result.verdict == "differs"
    assert result.detail


@pytest.mark.parametrize(
    "sample",
    [
        "Should show the service as active",
        "All services are running.",
        "A list of backups, or similar",
    ],
)
def test_words_about_the_output_are_not_comparable(sample: str) -> None:
    assert compare(sample, "x", None).verdict == "not_comparable"


def test_words_that_did_come_are_kept() -> None:
    assert compare("You should restart now", "You should restart now", None).verdict == "kept"


@pytest.mark.parametrize(
    ("sample", "output", "expect", "verdict"),
    [
        ("ok", "all ok here", Expect.CONTAINS, "kept"),
        ("ok", "broken", Expect.CONTAINS, "differs"),
        ("healthy", "unhealthy", Expect.CONTAINS, "differs"),
        ("All services are running.", "none", Expect.CONTAINS, "differs"),
        ("a\nb", "a  \nb\n", Expect.EXACT, "kept"),
        ("a", "a\nb", Expect.EXACT, "differs"),
        ("10:00", "11:00", Expect.EXACT, "differs"),
        ("^v[0-9]+$", "x\nv12", Expect.REGEX, "kept"),
        ("^v[0-9]+$", "x12", Expect.REGEX, "differs"),
        ("(a+)+$", "a", Expect.REGEX, "differs"),
    ],
)
def test_what_the_author_expects(sample: str, output: str, expect: Expect, verdict: str) -> None:
    assert compare(sample, output, expect).verdict == verdict


def test_the_difference_names_the_line_and_the_nearest_one() -> None:
    detail = compare("start\nstatus: active", "start\nnoise\nstatus: inactive", None).detail
    assert "Line 2" in detail
    assert "status: inactive" in detail


@pytest.mark.parametrize(
    "output", ["a.b-" * 250_000, "12:" * 300_000, "1 h " * 200_000, "-\n" * 300_000]
)
def test_a_hostile_output_is_quick(output: str) -> None:
    start = time.process_time()
    compare("x ... y ... z", output, None)
    assert time.process_time() - start < 30


@pytest.mark.parametrize("expect", [None, *Expect])
def test_an_empty_sample_promises_that_nothing_is_printed(expect: Expect | None) -> None:
    assert compare("\n", " \n", expect).verdict == "kept"
    assert compare("", "x", expect).detail == "Nothing should come; line 1 is “x”."


@pytest.mark.parametrize(
    ("sample", "output", "said"),
    [
        ("a b", "a  b", "should be “a b” and is “a␠␠b”."),
        ("a", " a", "should be “a” and is “␠a”."),
        ("a b", "a\tb", "should be “a b” and is “a␉b”."),
        ("ab", "a\u200bb", "should be “ab” and is “a⟨U+200B⟩b”."),
        ("x" * 90 + "1", "x" * 90 + "2", "…”: they differ from column 91 on."),
    ],
)
def test_what_differs_is_to_be_seen(sample: str, output: str, said: str) -> None:
    assert said in compare(sample, output, Expect.EXACT).detail


@pytest.mark.parametrize(
    ("sample", "found"),
    [
        ("3 sent, 0% packet loss", "0%"),
        ("100% done", "100%"),
        ("0 bytes", "0 bytes"),
        ("12% used, 602112 bytes", ""),
        ("0 rows", ""),
        ("10:00", ""),
    ],
)
def test_a_measure_that_says_none_or_all(sample: str, found: str) -> None:
    assert all_or_nothing(sample) == found
