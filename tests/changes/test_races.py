"""Two people at once: one effect, and the other one is told by whom."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from cvdops.access.levels import Level
from cvdops.access.models import RoleGrant
from cvdops.access.seed import seed_roles
from cvdops.accounts.models import User
from cvdops.changes import grants, matrix
from cvdops.changes.models import Change
from cvdops.changes.services import confirm, refuse, submit, withdraw
from cvdops.environments.seed import seed_environments
from cvdops.lib.errors import Conflict, Invalid, Refused
from tests.cast import person
from tests.waiting import PATIENCE

ROUNDS = pytest.mark.parametrize("rounds", [3, pytest.param(200, marks=pytest.mark.faults)])
CELL = matrix.key("developer", "security")

Verb = Callable[[], Change]


@pytest.fixture
def three(transactional_db: None) -> tuple[User, User, User]:
    seed_roles()
    seed_environments({})
    person("operations-manager")
    return person("admin"), person("operations-lead"), person("operations-lead", "second")


def at_once(*verbs: Verb) -> list[str]:
    """What became of each: the state of its change, or what its person was told."""
    start = Barrier(len(verbs), timeout=PATIENCE)

    def one(verb: Verb) -> str:
        try:
            start.wait()
            return verb().state
        except (Conflict, Invalid, Refused) as error:
            return str(error)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(verbs)) as pool:
        return list(pool.map(one, verbs))


def propose(user: User, level: Level) -> Change:
    return submit(user, "matrix", CELL, matrix.value(level), "so")


@ROUNDS
def test_two_editors_of_one_cell(three: tuple[User, User, User], rounds: int) -> None:
    admin, lead, _ = three
    for _round in range(rounds):
        said = at_once(lambda: propose(admin, Level.ASSIST), lambda: propose(lead, Level.EXECUTE))
        assert said.count("proposed") == 1
        assert any("has proposed a change" in text for text in said)
        change = Change.objects.get(state="proposed")
        withdraw(change.proposed_by, change.pk)


@ROUNDS
def test_two_who_confirm_and_one_who_withdraws(three: tuple[User, User, User], rounds: int) -> None:
    admin, lead, second = three
    for turn in range(rounds):
        change = propose(admin, (Level.ASSIST, Level.EXECUTE)[turn % 2])
        said = at_once(
            lambda c=change: confirm(lead, c.pk),  # type: ignore[misc]
            lambda c=change: refuse(second, c.pk, "no"),  # type: ignore[misc]
            lambda c=change: withdraw(admin, c.pk),  # type: ignore[misc]
        )
        change.refresh_from_db()
        assert said.count(change.state) == 1, said
        assert sum("already, by" in text for text in said) == 2, said
        if change.state != "applied":
            confirm(lead, propose(admin, (Level.ASSIST, Level.EXECUTE)[turn % 2]).pk)


@ROUNDS
def test_the_last_two_leads_do_not_end_each_other(
    three: tuple[User, User, User], rounds: int
) -> None:
    _, lead, second = three
    for _round in range(rounds):
        said = at_once(
            lambda: submit(lead, "grant", grants.key("second", "operations-lead"), None, "so"),
            lambda: submit(
                second, "grant", grants.key("operations-lead", "operations-lead"), None, "so"
            ),
        )
        assert said.count("applied") == 1, said
        in_force = RoleGrant.objects.in_force().filter(role="operations-lead")
        assert in_force.count() == 1
        RoleGrant.objects.filter(role="operations-lead").update(ends_at=None)
