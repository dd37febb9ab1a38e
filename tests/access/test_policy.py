"""The policy reads what the rules need from the database, as it is at the time that is asked about."""

from datetime import UTC, datetime, timedelta

import pytest

from cvdops.access import policy, rules
from cvdops.access.models import MatrixCell, Role, RoleGrant
from cvdops.access.policy import Action, Matter, can
from cvdops.access.seed import seed_roles
from cvdops.accounts.models import User
from cvdops.environments.seed import seed_environments
from tests.cast import EVERYBODY, OUTSIDER, person

pytestmark = pytest.mark.usefixtures("seeded")

NOON = datetime(2030, 6, 2, 12, tzinfo=UTC)
DEPLOYMENT = Matter("deployment", "production")


@pytest.fixture
def seeded(db: None) -> None:
    seed_roles()
    seed_environments({})


@pytest.fixture
def on_call(seeded: None) -> User:
    """Somebody who may execute in production for one hour."""
    user = person("auditor", "on-call")
    RoleGrant.objects.create(
        user=user,
        role=Role.objects.get(pk="devops-engineer"),
        environment_id="production",
        starts_at=NOON,
        ends_at=NOON + timedelta(hours=1),
    )
    return user


@pytest.mark.parametrize(
    ("minutes", "may"), [(-1, False), (0, True), (30, True), (59, True), (60, False), (61, False)]
)
def test_a_role_for_a_time_counts_in_that_time(on_call: User, minutes: int, may: bool) -> None:
    at = NOON + timedelta(minutes=minutes)
    assert can(on_call, Action.START, DEPLOYMENT, at).allowed is may


def test_a_role_for_an_environment_counts_nowhere_else(on_call: User) -> None:
    assert not can(on_call, Action.START, Matter("deployment", "staging"), NOON).allowed
    assert not can(on_call, Action.SYNC_CATALOG, None, NOON).allowed


@pytest.mark.parametrize("role", [*EVERYBODY, OUTSIDER])
def test_what_is_visible_in_queries_is_what_the_rules_say(role: str) -> None:
    user = person(role)
    MatrixCell.objects.filter(role="developer", category="security").update(level=0)
    RoleGrant.objects.create(user=user, role=Role.objects.get(pk="developer"), ends_at=NOON)
    in_queries = set(policy.readable_categories(user))
    assert in_queries == rules.readable(policy.standing_of(user))


def test_the_rights_are_read_in_one_query(
    on_call: User, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    with django_assert_num_queries(1):  # type: ignore[operator]
        can(on_call, Action.START, DEPLOYMENT)
