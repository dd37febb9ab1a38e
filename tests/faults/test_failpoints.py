"""F2: a worker, or whoever presses a button, dies at each commit and each send in turn."""

from collections.abc import Callable, Iterable
from itertools import count

import pytest

from cvdops.executions.models import Execution, Lock
from tests.executions.test_engine import block
from tests.faults.effects import VARIABLES
from tests.faults.play import expire_leases, play, victim
from tests.faults.rig import Rig

QUICK = {"seconds": 0, "lines": 1}


def steps(rig: Rig) -> None:
    rig.runbook(rig.step("one", **QUICK), rig.step("two", "idempotent", **QUICK))


def retry(rig: Rig) -> None:
    failing = f"{rig.effects.script('one', once=False, **QUICK)}\n[ -e '{rig.folder}/'$RUN ]"
    failing += f" || {{ touch '{rig.folder}/'$RUN; false; }}"
    rig.runbook(block("one", failing, "retry=1 backoff=1s"))


def gate(rig: Rig) -> None:
    gate = block("gate", "approvers: [operations-manager]", kind="approval")
    rig.runbook(rig.step("one", **QUICK), gate, rig.step("two", **QUICK))


def checklist(rig: Rig) -> None:
    rig.runbook("#### look\n\n- [ ] it is quiet\n\n", rig.step("one", **QUICK))


def locked(rig: Rig) -> None:
    rig.runbook(
        rig.step("one", "lock=db", **QUICK), rig.step("two", **QUICK), extra="locks: [web]\n"
    )


def batches(rig: Rig) -> None:
    hosts = rig.scene.environment.hosts
    made = [hosts.get_or_create(name=f"web-{n}", transport="local")[0] for n in (1, 2, 3)]
    rig.scene.environment.groups.get_or_create(name="web")[0].hosts.set(made)
    rig.runbook(rig.step("one", "target=web batch=2", once=False, **QUICK))


def child(rig: Rig) -> None:
    rig.scene.other("inner", rig.step("inside", **QUICK), VARIABLES)
    call = 'runbook: inner\nprocedure: do-it\nvariables: {RUN: "${RUN}"}'
    rig.runbook(block("call", call, kind="runbook"), rig.step("after", **QUICK))


def rollback(rig: Rig) -> None:
    failing = rig.effects.script("two", **QUICK) + "\nfalse"
    rig.runbook(
        rig.step("one", "destructive rollback=undo", **QUICK),
        block("two", failing, "on-failure=rollback"),
        rollback=rig.step("undo", **QUICK),
    )


SCENARIOS = [steps, retry, gate, checklist, locked, batches, child, rollback]
ENDS = {rollback: "rolled_back"}
FEWEST = 15  # places that each of them has at least


def die(rig: Rig, place: int) -> tuple[Execution, bool]:
    """One execution whose player dies at this place; whether there was such a place."""
    [execution] = rig.start()
    code = victim(execution, f"*:{place}")
    assert code in {0, 9}, f"place {place}"
    expire_leases()
    return play(execution.pk), code == 9


def survive(rig: Rig, scenario: Callable[[Rig], None], places: Iterable[int]) -> list[int]:
    """Die at these places, up to the first that is not there; those at which it died."""
    rig.scene.person("operations-manager")
    scenario(rig)
    deaths = []
    for place in places:
        execution, died = die(rig, place)
        assert execution.state == ENDS.get(scenario, "succeeded"), f"place {place}"
        rig.truth(Execution.objects.filter(pk__gte=execution.pk))
        assert not Lock.objects.exists()
        if not died:
            break
        deaths.append(place)
    return deaths


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_death_at_some_place(rig: Rig, scenario: Callable[[Rig], None]) -> None:
    assert survive(rig, scenario, [rig.chance.randint(1, FEWEST)])


@pytest.mark.faults
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_death_at_every_place(rig: Rig, scenario: Callable[[Rig], None]) -> None:
    assert len(survive(rig, scenario, count(1))) >= FEWEST
