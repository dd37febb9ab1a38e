"""Durations and review dates as the pages show them."""

from datetime import date, timedelta

import pytest

from cvdops.catalog.freshness import freshness
from cvdops.web.templatetags.portal import duration

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.04, "0 s"),
        (2.5, "2.5 s"),
        (12, "12 s"),
        (372, "6 min 12 s"),
        (7200, "2 h"),
        (timedelta(days=3, hours=4, minutes=5), "3 d 4 h"),
        (None, ""),
        (-5, "0 s"),
    ],
)
def test_durations_in_words(value: float | timedelta | None, words: str) -> None:
    assert duration(value) == words


@pytest.mark.parametrize(
    ("metadata", "category", "tone"),
    [
        ({"last_updated": "2026-11-01"}, "deployment", "ok"),
        ({"last_updated": "2026-10-01"}, "incidents", "wait"),
        ({"last_updated": "2026-10-01"}, "deployment", "ok"),
        ({"last_updated": "2026-08-01"}, "deployment", "wait"),
        ({"last_updated": "2026-05-01", "next_review": "2027-01-01"}, "deployment", "bad"),
        ({"last_updated": "2026-11-01", "next_review": "2026-11-20"}, "deployment", "wait"),
        ({"last_updated": "soon"}, "deployment", "none"),
        ({}, "deployment", "none"),
    ],
)
def test_when_a_review_is_due(metadata: dict[str, object], category: str, tone: str) -> None:
    assert freshness(metadata, category, TODAY).tone == tone
