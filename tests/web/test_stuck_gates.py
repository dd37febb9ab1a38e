"""Gates of documents that nobody could meet: on the page, in `doctor`, and before somebody loses a role."""

from datetime import timedelta

from django.db.models.functions import Now

from cvdops.access.models import RoleGrant
from cvdops.approvals import gates
from cvdops.catalog.models import Runbook
from cvdops.changes import accounts, grants
from cvdops.doctor import people
from tests.cast import person
from tests.web.world import World

PAGE = "/runbooks/deployment/"
SAID = "the gate “Ask”. Nobody could ever meet it: 1 of operations-manager: nobody answers for that"


def title() -> str:
    return Runbook.objects.get(pk="deployment").title


def test_a_gate_that_nobody_can_meet_is_said(world: World) -> None:
    assert f"{title()}, {SAID}" in world.client("auditor").get(PAGE).content.decode()
    assert f"{title()}, {SAID}" in people.approvers().found


def test_a_gate_that_somebody_can_meet_is_not(world: World) -> None:
    person("operations-manager")
    assert "Nobody could ever" not in world.client("auditor").get(PAGE).content.decode()
    assert gates.stuck() == []


def test_where_it_can_be_met_is_not_named(world: World) -> None:
    manager = person("operations-manager")
    RoleGrant.objects.filter(user=manager).update(environment="staging")
    (said,) = [one for one in gates.stuck() if one.startswith(f"{title()}, ")]
    assert "“Ask” in " in said and "staging" not in said and "production" in said


def test_before_the_only_one_leaves_the_gates_are_named(world: World) -> None:
    manager = person("operations-manager")
    key = grants.key(manager.username, "operations-manager")
    for said in (accounts.left_stuck(manager), grants.consequences(key, None)):
        assert any(f"{title()}, {SAID}" in one for one in said)
    RoleGrant.objects.filter(user=manager).update(ends_at=Now() + timedelta(days=1))
    assert any(f"{title()}, {SAID}" in one for one in grants.consequences(key, None))


def test_what_was_stuck_before_is_not_said_again(world: World) -> None:
    assert accounts.left_stuck(person("developer")) == []
