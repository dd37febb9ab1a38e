"""The onboarding ladder: a higher rung never allows less, and each allows what the mission says."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvdops.access import rules
from cvdops.access.certification import Certificate, Stage, ceiling, following, opens
from cvdops.access.levels import Level
from cvdops.access.policy import standing_of
from cvdops.access.seed import seed_roles
from cvdops.access.standing import Held, Standing
from cvdops.access.subjects import Action, Matter, Subject
from tests.access.standings import PERSONS, questions, standings
from tests.cast import certify, person
from tests.examples import examples

many = examples(200)
STAGES = st.sampled_from(Stage)
WEEK_1, WEEK_2, WEEK_3, WEEK_4, CERTIFIED = Stage
ELSEWHERE = Matter("deployment", "staging", protected=False, critical=False)
EMERGENCY = replace(ELSEWHERE, critical=True)
PRODUCTION = Matter("deployment", "production", protected=True, critical=False)
ENGINEER = Standing(
    PERSONS[0], active=True, held=(Held("engineer", {"deployment": Level.EXECUTE}),)
)


def answer(standing: Standing, action: Action, subject: Subject) -> list[str]:
    """The codes of the reasons; none for a yes."""
    return [r.code for r in rules.decide(standing, action, subject, dict).reasons]


@many
@given(standings, questions(), STAGES, STAGES)
def test_a_higher_rung_never_allows_less(
    standing: Standing, question: tuple[Action, Subject], one: Stage, other: Stage
) -> None:
    low, high = sorted((one, other))
    if not answer(replace(standing, certificate=Certificate(low)), *question):
        assert not answer(replace(standing, certificate=Certificate(high)), *question)


@many
@given(standings, questions())
def test_supervision_and_company_never_allow_less(
    standing: Standing, question: tuple[Action, Subject]
) -> None:
    action, subject = question
    if isinstance(subject, Matter) and not answer(standing, action, subject):
        assert not answer(standing, action, replace(subject, supervised=True, present=True))


@many
@given(standings, questions())
def test_production_and_emergencies_never_allow_more(
    standing: Standing, question: tuple[Action, Subject]
) -> None:
    action, subject = question
    if isinstance(subject, Matter) and not answer(standing, action, subject):
        assert not answer(standing, action, replace(subject, protected=False, critical=False))


@many
@given(standings, questions())
def test_certified_or_not_reading_and_deciding_stay_as_they_are(
    standing: Standing, question: tuple[Action, Subject]
) -> None:
    if question[0] in {Action.READ_RUNBOOK, Action.READ_EXECUTION, Action.DECIDE}:
        shadow = replace(standing, certificate=Certificate())
        assert answer(standing, *question) == answer(shadow, *question)


@many
@given(STAGES, st.booleans(), st.booleans())
def test_what_opens_on_a_rung_is_closed_below_it(
    stage: Stage, protected: bool, critical: bool
) -> None:
    limit = ceiling(stage, protected=protected, critical=critical, supervised=True)
    assert (limit > Level.REVIEW) == (stage >= opens(protected=protected, critical=critical))


@pytest.mark.parametrize(
    ("stage", "matter", "alone", "supervised"),
    [
        (WEEK_1, ELSEWHERE, "certification", "certification"),
        (WEEK_2, ELSEWHERE, "supervision", ""),
        (WEEK_2, EMERGENCY, "certification", "certification"),
        (WEEK_2, PRODUCTION, "certification", "certification"),
        (WEEK_3, EMERGENCY, "", ""),
        (WEEK_3, PRODUCTION, "certification", "certification"),
        (WEEK_4, ELSEWHERE, "", ""),
        (WEEK_4, PRODUCTION, "supervision", ""),
        (CERTIFIED, PRODUCTION, "", ""),
    ],
)
def test_each_week_is_that_of_the_mission(
    stage: Stage, matter: Matter, alone: str, supervised: str
) -> None:
    somebody = replace(ENGINEER, certificate=Certificate(stage))
    helped = replace(matter, supervised=True)
    assert answer(somebody, Action.START, matter) == [alone] * bool(alone)
    assert answer(somebody, Action.START, helped) == [supervised] * bool(supervised)


def test_only_who_is_certified_supervises() -> None:
    for stage in Stage:
        somebody = replace(ENGINEER, certificate=Certificate(stage))
        assert (answer(somebody, Action.SUPERVISE, ELSEWHERE) == []) == (stage is CERTIFIED)


def test_who_assists_needs_company() -> None:
    assistant = replace(ENGINEER, held=(Held("admin", {"deployment": Level.ASSIST}),))
    assistant = replace(assistant, certificate=Certificate(CERTIFIED))
    assert answer(assistant, Action.ASSIST, PRODUCTION) == ["presence"]
    assert answer(assistant, Action.ASSIST, replace(PRODUCTION, present=True)) == []
    assert answer(assistant, Action.CLOSE, PRODUCTION) == []


def test_an_expired_certificate_is_that_of_a_shadow_and_says_so() -> None:
    expired = Certificate(CERTIFIED, datetime(2026, 1, 31, tzinfo=UTC))
    somebody = replace(ENGINEER, certificate=expired)
    (reason,) = rules.decide(somebody, Action.START, ELSEWHERE, dict).reasons
    assert "expired on 2026-01-31: the annual assessment is due" in reason.text


def test_the_ladder_has_an_end() -> None:
    assert [following(stage) for stage in Stage] == [*list(Stage)[1:], None]


@pytest.mark.django_db
def test_the_newest_row_counts_and_none_is_a_shadow() -> None:
    seed_roles()
    somebody = person("devops-engineer")
    assert standing_of(somebody).certificate == Certificate(CERTIFIED)
    certify(somebody, WEEK_3)
    assert standing_of(somebody).certificate == Certificate(WEEK_3)
    gone = certify(somebody, CERTIFIED, until=datetime(2025, 1, 1, tzinfo=UTC))
    assert standing_of(somebody).certificate.expired == gone.expires_at
    somebody.certifications.all().delete()
    assert standing_of(somebody).certificate == Certificate()


@pytest.mark.django_db
def test_it_is_asked_as_it_is_at_a_time() -> None:
    seed_roles()
    somebody = person("devops-engineer")
    later = datetime(2100, 1, 1, tzinfo=UTC)
    assert standing_of(somebody, later).certificate.stage is Stage.SHADOW
