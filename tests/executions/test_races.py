"""Two people press at the same moment: one effect, and the one who was second is told of the first."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from uuid import UUID

import pytest
from django.db import connections

from cvdops.accounts.models import User
from cvdops.approvals.models import Decision
from cvdops.audit.models import AuditEntry
from cvdops.executions import restoring, services
from cvdops.executions.models import Execution
from cvdops.lib.errors import Conflict
from tests.cast import person
from tests.executions.scene import Scene
from tests.executions.test_control import at_work, begun, leave_alone
from tests.executions.test_engine import block
from tests.faults.chance import chance
from tests.faults.truth import history
from tests.waiting import PATIENCE

ROUNDS = [3, pytest.param(200, marks=pytest.mark.faults)]
FEWER = [3, pytest.param(50, marks=pytest.mark.faults)]
Verb = Callable[[User, UUID], object]


def together(*verbs: Callable[[], object]) -> list[object]:
    """Press all at the same moment; the results, a Conflict where somebody was told so."""
    barrier = Barrier(len(verbs), timeout=PATIENCE)

    def press(verb: Callable[[], object]) -> object:
        try:
            barrier.wait()
            return verb()
        except Conflict as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(verbs)) as pool:
        return list(pool.map(press, verbs))


def told(results: list[object]) -> list[Conflict]:
    return [result for result in results if isinstance(result, Conflict)]


# What people may press, and what they may press after that with an effect of its own.
VERBS: dict[str, Verb] = {
    "retry": lambda who, pk: services.retry(who, pk, "one"),
    "skip": lambda who, pk: services.skip(who, pk, "one", "why"),
    "settle": lambda who, pk: services.settle(who, pk, "one", "why"),
    "give_up": services.give_up,
    "roll_back": services.roll_back,
    "resume_from": lambda who, pk: services.resume_from(who, pk, "one", "why"),
    "pause": services.pause,
    "resume": services.resume,
    "cancel": services.cancel,
}
ENDS, AFTER_AN_END = {"give_up", "cancel"}, {"roll_back", "resume_from"}


def stuck(scene: Scene) -> Execution:
    scene.runbook(block("one", "false", "destructive rollback=undo"), block("undo", "true"))
    return scene.run()


def queued(scene: Scene) -> Execution:
    scene.runbook(block("one", "true"))
    return scene.start()


def paused(scene: Scene) -> Execution:
    execution = queued(scene)
    services.pause(scene.person("operations-lead"), execution.pk)
    return execution


RACES = {
    stuck: ["retry", "skip", "settle", "give_up", "roll_back", "resume_from", "cancel"],
    queued: ["pause", "cancel"],
    paused: ["resume", "cancel"],
}


@pytest.fixture
def leads(scene: Scene) -> list[User]:
    return [person("operations-lead", "ann"), person("operations-lead", "ben")]


def follows(first: str, second: str) -> bool:
    """Whether the second has an effect of its own after the first."""
    if first in ENDS:
        return second in AFTER_AN_END
    return second == "cancel"


def pressed(execution: Execution) -> list[str]:
    """Which verbs the audit log has, in their order."""
    entries = AuditEntry.objects.filter(subject_id=str(execution.pk), data__has_key="verb")
    return [entry.data["verb"] for entry in entries.order_by("id")]


def race(execution: Execution, leads: list[User], verbs: list[str]) -> None:
    """Each lead presses one: who had an effect is in the log, who had none was told by whom and when."""
    before = len(pressed(execution))
    calls = [partial(VERBS[v], who, execution.pk) for v, who in zip(verbs, leads, strict=True)]
    results = together(*calls)
    done, losers = pressed(execution)[before:], told(results)
    assert len(done) + len(losers) == 2, (verbs, done, losers)
    assert len(done) == 1 or follows(*done), done
    for loser in losers:
        winner = leads[1 - results.index(loser)].name
        assert re.search(f"{winner} was first .*[0-9:]{{8}} UTC", str(loser)), (verbs, loser)
    assert not list(history(Execution.objects.get(pk=execution.pk)))


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("situation", RACES)
def test_two_verbs(
    scene: Scene, leads: list[User], situation: Callable[[Scene], Execution], rounds: int
) -> None:
    random = chance(situation.__name__)
    for _ in range(rounds):
        verbs = random.choices(RACES[situation], k=2)
        race(situation(scene), leads, verbs)


@pytest.mark.parametrize("situation", RACES)
def test_a_verb_that_comes_later(
    scene: Scene, leads: list[User], situation: Callable[[Scene], Execution]
) -> None:
    """Who reads only what the first has made of it is told the same as who waited for it in a race."""
    ann, ben = leads
    for first in RACES[situation]:
        execution = situation(scene)
        VERBS[first](ann, execution.pk)
        for second in RACES[situation]:
            if not follows(first, second):
                with pytest.raises(Conflict, match=f"{ann.name} was first .*[0-9:]{{8}} UTC"):
                    VERBS[second](ben, execution.pk)


@pytest.mark.parametrize("rounds", FEWER)
def test_two_verbs_while_a_worker_has_it(scene: Scene, leads: list[User], rounds: int) -> None:
    scene.runbook(block("one", "sleep 60"))
    random = chance("running")
    for _ in range(rounds):
        execution = scene.start()
        with at_work(execution):
            begun(scene, execution, "one")
            verbs = random.choice([["cancel", "cancel"], ["pause", "cancel"]])
            race(execution, leads, verbs)
        assert execution.state == "cancelled"


@pytest.mark.parametrize("rounds", FEWER)
def test_a_pause_takes_no_cancel_away_that_a_worker_is_still_to_come_for(
    scene: Scene, leads: list[User], rounds: int
) -> None:
    scene.runbook(block("one", "sleep 60"))
    for _ in range(rounds):
        execution = scene.start()
        leave_alone(execution, partial(begun, scene, execution, "one"))
        restoring.hold_everything()  # nobody has looked whether it still runs
        services.resume(leads[0], execution.pk)
        race(execution, leads, ["cancel", "pause"])
        with pytest.raises(Conflict, match="It is asked to cancel already: Ann was first"):
            services.pause(leads[1], execution.pk)
        assert scene.advance(execution).state == "cancelled"


@pytest.fixture
def gated(scene: Scene) -> Scene:
    """A runbook whose first step is a gate."""
    gate = block("gate", "approvers: [operations-manager, cto]", kind="approval")
    scene.runbook(gate + block("after", "true"))
    return scene


@pytest.mark.parametrize("rounds", ROUNDS)
def test_two_decisions(gated: Scene, rounds: int) -> None:
    manager, cto = gated.person("operations-manager"), gated.person("cto")
    random = chance("decisions")
    for _ in range(rounds):
        request = gated.gate(gated.run())
        second = random.choice(["approve", "reject"])
        results = together(
            lambda: services.decide(manager, request.pk, "approve", "", request.plan_digest),
            lambda: services.decide(cto, request.pk, second, "why", request.plan_digest),
        )
        decision = Decision.objects.get(request=request)
        [loser] = told(results)
        assert re.search(f"by {decision.user.name} at [0-9:]{{8}} UTC", str(loser))


@pytest.mark.parametrize("rounds", FEWER)
def test_a_decision_and_a_cancel(gated: Scene, rounds: int) -> None:
    manager, engineer = gated.person("operations-manager"), gated.person("devops-engineer")
    for _ in range(rounds):
        execution = gated.run()
        request = gated.gate(execution)
        together(
            lambda: services.decide(manager, request.pk, "approve", "", request.plan_digest),
            lambda: services.cancel(engineer, execution.pk),
        )
        execution.refresh_from_db()
        assert execution.state == "cancelled"  # a queued execution can still be cancelled
        assert gated.states(execution)["after"] == "pending"
        assert not list(history(execution))


@pytest.mark.parametrize("rounds", FEWER)
def test_two_confirmations(scene: Scene, leads: list[User], rounds: int) -> None:
    scene.runbook("#### look\n\n- [ ] it is quiet\n\n" + block("one", "true"))
    for _ in range(rounds):
        execution = scene.run()
        step = execution.steps.get(kind="checklist").pk
        calls = [partial(services.confirm, who, execution.pk, step, [0]) for who in leads]
        results = together(*calls)
        [loser] = told(results)
        winner = leads[1 - results.index(loser)].name
        assert re.search(f"{winner} was first .*[0-9:]{{8}} UTC", str(loser))
        assert execution.events.filter(kind="step.confirm").count() == 1


@pytest.mark.parametrize("rounds", ROUNDS)
def test_two_starts_with_one_key_are_one_execution(scene: Scene, rounds: int) -> None:
    scene.runbook(block("one", "true"))
    scene.person("devops-engineer")
    for number in range(rounds):
        key = f"key-{number}"
        started = together(*[lambda: scene.start(idempotency_key=key)] * 2)
        assert len({execution.pk for execution in started}) == 1
    assert Execution.objects.count() == rounds
