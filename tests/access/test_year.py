"""A year of one lead on call in production: role, certificate, windows, a freeze, a hold, a delegation."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cvdops.access.models import Delegation, Role, RoleGrant
from cvdops.access.policy import Action, Gate, Matter, can
from cvdops.access.seed import seed_roles
from cvdops.accounts.models import User
from cvdops.environments.models import Hold, Period
from cvdops.environments.seed import seed_environments, seed_windows
from tests.cast import certify, person

pytestmark = pytest.mark.django_db

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
YEAR = datetime(2030, 1, 1, tzinfo=UTC)


def on(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2030, month, day, hour, tzinfo=UTC)


ON_CALL = (on(2, 3, 3), on(12, 1))  # begins in the middle of a window
CERTIFIED_UNTIL = on(10, 6, 3)
FREEZE = (on(6, 30, 3), on(7, 14, 3))
HOLD = (on(4, 7, 1), on(4, 14, 3))
DELEGATED = (on(5, 1), on(5, 15))
START = Matter("deployment", "production", runbook="deployment", critical=False)
GATE = Gate(Matter("deployment", "production"), frozenset({"operations-manager"}))


def within(span: tuple[datetime, datetime], at: datetime) -> bool:
    return span[0] <= at < span[1]


def expected(at: datetime, *, emergency: bool) -> set[str]:
    """The codes of the reasons against a start, from the words of the specification."""
    codes = set()
    if not within(ON_CALL, at):
        codes.add("matrix")
    elif at >= CERTIFIED_UNTIL:
        codes.add("certification")
    if within(HOLD, at):
        codes.add("hold")
    if not emergency and within(FREEZE, at):
        codes.add("freeze")
    elif not emergency and not (at.weekday() == 6 and at.hour in {2, 3}):
        codes.add("window")
    return codes


def moments() -> Iterator[datetime]:
    """An hour that moves through the days, every other window, and each edge with a second around it."""
    for n in range(0, 365, 5):
        yield YEAR + n * DAY + timedelta(hours=n % 24)
    for n in range(5, 365, 14):  # from the first Sunday on
        yield YEAR + n * DAY + timedelta(hours=2)
        yield YEAR + n * DAY + timedelta(hours=4)
    for edge in (*ON_CALL, CERTIFIED_UNTIL, *FREEZE, *HOLD, *DELEGATED):
        yield from (edge - SECOND, edge, edge + SECOND)


@pytest.fixture
def on_call() -> User:
    seed_roles()
    seed_windows(seed_environments({}))
    found = User.objects.create(username="on-call", name="On Call")
    role = Role.objects.get(pk="operations-lead")  # who may declare emergencies
    RoleGrant.objects.create(
        user=found,
        role=role,
        environment_id="production",
        starts_at=ON_CALL[0],
        ends_at=ON_CALL[1],
    )
    certify(found, until=CERTIFIED_UNTIL)
    Period.objects.create(
        environment_id="production",
        kind=Period.Kind.FREEZE,
        name="Summer",
        starts_at=FREEZE[0],
        minutes=(FREEZE[1] - FREEZE[0]) // timedelta(minutes=1),
    )
    Hold.objects.create(
        owner=person("operations-lead"),
        environment_id="production",
        reason="audit",
        since=HOLD[0],
        until=HOLD[1],
    )
    return found


@pytest.mark.parametrize("emergency", [False, True])
def test_a_start_is_refused_for_the_reasons_of_that_moment(on_call: User, emergency: bool) -> None:
    matter = replace(START, emergency=emergency)
    wrong = []
    for at in moments():
        codes = {reason.code for reason in can(on_call, Action.START, matter, at).reasons}
        if codes != expected(at, emergency=emergency):
            wrong.append((at, codes))
    assert wrong == []


def test_a_delegation_counts_in_its_time(on_call: User) -> None:
    manager, deputy = person("operations-manager"), person("auditor", "deputy")
    Delegation.objects.create(
        giver=manager, receiver=deputy, reason="leave", starts_at=DELEGATED[0], ends_at=DELEGATED[1]
    )
    wrong = [
        at
        for at in moments()
        if can(deputy, Action.DECIDE, GATE, at).allowed != within(DELEGATED, at)
    ]
    assert wrong == []
