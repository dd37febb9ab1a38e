"""The rules that need the history of a version."""

from datetime import date

import pytest

from cvdops.spec.parser import parse
from cvdops.spec.rules.history import Facts, history, where_tested
from tests.spec.documents import TODAY

TESTED = "---\ntested: {environment: lab, every: quarter}\n---\n# T\n"
GOOD = Facts(author="ann", reviewed_by=["ann", "bob"], executed_at=date(2026, 10, 1))


def codes(facts: Facts, source: str = TESTED) -> list[str]:
    return [d.code for d in history(parse(source).metadata, facts, TODAY)]


def test_a_version_with_a_good_history_has_no_findings() -> None:
    assert codes(GOOD) == []


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (Facts(author="ann", reviewed_by=["ann"], executed_at=TODAY), "RB510"),
        (Facts(author="ann", reviewed_by=["bob"]), "RB511"),
        (Facts(author="ann", reviewed_by=["bob"], executed_at=date(2026, 8, 1)), "RB511"),
        (Facts(reviewed_by=["bob"], executed_at=TODAY, promises_broken=1), "RB512"),
    ],
)
def test_one_bad_fact_is_one_finding(facts: Facts, code: str) -> None:
    assert codes(facts) == [code]


def test_without_an_interval_an_old_success_counts() -> None:
    old = Facts(author="ann", reviewed_by=["bob"], executed_at=date(2020, 1, 1))
    assert codes(old, "# T\n") == []


def test_where_it_is_to_be_tested() -> None:
    assert where_tested(parse(TESTED).metadata) == "lab"
    assert where_tested({}) == "staging"
