"""The windows of the mission, as the policy answers a start: every hour of a fortnight, and the edges."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cvdops import environments
from cvdops.access.policy import Action, Matter, can
from cvdops.access.seed import seed_roles
from cvdops.environments.models import Hold
from cvdops.environments.seed import seed_environments, seed_windows
from cvdops.executions import admission, emergencies, holding
from tests.cast import person

FIRST = datetime(2027, 2, 1, tzinfo=UTC)  # a Monday
SECOND = timedelta(seconds=1)
SUNDAY = datetime(2027, 2, 7, 2, tzinfo=UTC)


@pytest.fixture
def seeded(db: None) -> None:
    seed_roles()
    seed_windows(seed_environments({}))


def refused(environment: str, at: datetime, **about: object) -> list[str]:
    """The codes of the reasons why a lead may not start a deployment there and then."""
    matter = Matter("deployment", environment, runbook="deployment", **about)
    decision = can(person("operations-lead"), Action.START, matter, at)
    return [reason.code for reason in decision.reasons]


def open_(environment: str, at: datetime) -> bool:
    """The mission document, word by word."""
    if environment == "production":
        return at.weekday() == 6 and at.hour in {2, 3}
    if environment == "staging":
        return at.weekday() == 2 and at.hour in {18, 19}
    return True


@pytest.mark.parametrize("environment", ["production", "staging", "development"])
def test_every_hour_of_a_fortnight(seeded: None, environment: str) -> None:
    for n in range(14 * 24):
        at = FIRST + timedelta(hours=n)
        assert (refused(environment, at) == []) is open_(environment, at), at


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (SUNDAY - SECOND, ["window"]),
        (SUNDAY, []),
        (SUNDAY + 2 * timedelta(hours=1) - SECOND, []),
        (SUNDAY + 2 * timedelta(hours=1), ["window"]),
    ],
)
def test_the_edges_to_the_second(seeded: None, at: datetime, expected: list[str]) -> None:
    assert refused("production", at) == expected


def test_read_only_work_and_emergencies_are_not_bound(seeded: None) -> None:
    assert refused("production", FIRST, read_only=True) == []
    assert refused("production", FIRST, emergency=True) == []


def test_no_rule_goes_by_the_clock_of_a_process() -> None:
    """That of a worker or web server may be wrong; the database's is everybody's."""
    rules = Path(environments.__file__).parent
    modules = [*rules.glob("*.py"), *(Path(m.__file__) for m in (admission, emergencies, holding))]
    assert len(modules) > 8
    own = ("datetime.now(", "timezone.now(", "time.time(", "utcnow(", "date.today(")
    found = [(m.name, call) for m in modules for call in own if call in m.read_text()]
    assert found == []


def test_a_hold_counts_from_its_beginning_to_its_end(seeded: None) -> None:
    owner, hour = person("operations-lead"), timedelta(hours=1)
    hold = Hold.objects.create(owner=owner, until=SUNDAY + hour, reason="x", runbook="deployment")
    Hold.objects.filter(pk=hold.pk).update(since=SUNDAY)
    assert refused("production", SUNDAY - SECOND, emergency=True) == []
    assert refused("production", SUNDAY, emergency=True) == ["hold"]
    assert refused("production", SUNDAY + hour) == []


def test_without_a_runbook_the_question_is_about_the_person_alone(seeded: None) -> None:
    matter = Matter("deployment", "production")
    assert can(person("operations-lead"), Action.START, matter, FIRST).allowed
