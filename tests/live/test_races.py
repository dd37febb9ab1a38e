"""The races of `tests.executions.test_races`, as browsers run them: one effect, and never a fault."""

import re
from collections.abc import Callable
from functools import partial

import pytest

from cvdops.approvals.models import Decision
from cvdops.executions.models import Execution
from tests.cast import person
from tests.executions.scene import Scene
from tests.executions.test_engine import block
from tests.executions.test_races import RACES, follows, pressed, together
from tests.faults.chance import chance
from tests.faults.portal import Answer, Visit, session
from tests.faults.truth import history
from tests.web.world import nonce

ROUNDS = [2, pytest.param(200, marks=pytest.mark.faults)]
PATHS = {
    "retry": "steps/one/retry/",
    "skip": "steps/one/skip/",
    "settle": "steps/one/settle/",
    "give_up": "give-up/",
    "roll_back": "roll-back/",
    "resume_from": "go-on/",
    "pause": "pause/",
    "resume": "resume/",
    "cancel": "cancel/",
}
Visits = dict[str, Visit]


@pytest.fixture
def visits(scene: Scene, server: int) -> Visits:
    leads = (person("operations-lead", name) for name in ("ann", "ben"))
    return {lead.name: Visit(server, session(lead)) for lead in leads}


def press(visit: Visit, execution: Execution, verb: str) -> Answer:
    return visit.post(f"/executions/{execution.pk}/{PATHS[verb]}", comment="why", step="one")


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("situation", RACES)
def test_two_verbs(
    scene: Scene, visits: Visits, situation: Callable[[Scene], Execution], rounds: int
) -> None:
    random, names = chance(f"{situation.__name__} over HTTP"), list(visits)
    for _ in range(rounds):
        execution, verbs = situation(scene), random.choices(RACES[situation], k=2)
        before = len(pressed(execution))
        calls = [partial(press, visits[n], execution, v) for n, v in zip(names, verbs, strict=True)]
        answers = together(*calls)
        done = pressed(execution)[before:]
        losers = [i for i, answer in enumerate(answers) if answer.status == 409]
        assert {answer.status for answer in answers} <= {302, 409}, (verbs, answers)
        assert len(done) + len(losers) == 2, (verbs, done, answers)
        assert len(done) == 1 or follows(*done), done
        for loser in losers:
            told = f"{names[1 - loser]} was first .*[0-9:]{{8}} UTC"
            assert re.search(told, answers[loser].text), (verbs, answers[loser].text)
        assert not list(history(Execution.objects.get(pk=execution.pk)))


@pytest.mark.parametrize("rounds", ROUNDS)
def test_two_decisions(scene: Scene, server: int, rounds: int) -> None:
    gate = block("gate", "approvers: [operations-manager, cto]", kind="approval")
    scene.runbook(gate + block("after", "true"))
    manager, cto = (
        Visit(server, session(scene.person(role))) for role in ("operations-manager", "cto")
    )
    random = chance("decisions over HTTP")
    for _ in range(rounds):
        request = scene.gate(scene.run())
        second = random.choice(["approve", "reject"])
        address = f"/approvals/{request.pk}/decide/"
        form = {"comment": "why", "plan_digest": request.plan_digest}
        mine, theirs = (
            {**form, "nonce": nonce(visit.page(f"/approvals/{request.pk}/").text)}
            for visit in (manager, cto)
        )
        answers = together(
            lambda: manager.post(address, verdict="approve", **mine),
            lambda: cto.post(address, verdict=second, **theirs),
        )
        assert sorted(answer.status for answer in answers) == [302, 409]
        decision = Decision.objects.get(request=request)
        [loser] = [answer for answer in answers if answer.status == 409]
        assert re.search(f"by {decision.user.name} at [0-9:]{{8}} UTC", loser.text)


@pytest.mark.parametrize("rounds", ROUNDS)
def test_two_starts_of_one_form(scene: Scene, server: int, rounds: int) -> None:
    scene.runbook(block("one", "true"))
    for number in range(rounds):
        if number % 10 == 0:  # nobody may start so much in so short a time
            visit = Visit(server, session(person("devops-engineer", f"engineer-{number}")))
        answers = together(*[partial(visit.start, f"key-{number}")] * 2)
        assert {answer.status for answer in answers} == {302}
        assert len({answer.location for answer in answers}) == 1
    assert Execution.objects.count() == rounds
