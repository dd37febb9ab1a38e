"""Before a role is taken away or an account closed: which policies nobody could meet then."""

from cvdops.accounts.models import User
from cvdops.approvals.seed import seed_policies
from cvdops.changes import accounts, grants
from tests.cast import person

SECURITY = "production × security, always. Nobody could ever meet it: 1 of security-admin"


def test_taking_the_only_one_away_says_what_nobody_can_meet_then(lead: User) -> None:
    seed_policies()
    person("operations-manager")
    only = person("security-admin")
    key = grants.key(only.username, "security-admin")
    assert any(said.startswith(SECURITY) for said in grants.consequences(key, None))
    assert [said.startswith(SECURITY) for said in accounts.left_stuck(only)] == [True]


def test_where_there_is_another_one_nothing_is_said(lead: User) -> None:
    seed_policies()
    person("operations-manager")
    person("security-admin", "another-one")
    only = person("security-admin")
    key = grants.key(only.username, "security-admin")
    assert not any("Nobody could" in said for said in grants.consequences(key, None))
    assert accounts.left_stuck(only) == []


def test_what_nobody_can_meet_now_is_not_said_again(lead: User) -> None:
    seed_policies()
    assert accounts.left_stuck(person("developer")) == []
