"""F21: what is due by its time happens once: three look for it at once, or one dies at any place of it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.db import connections
from django.db.models.functions import Now
from pytest_django import Settings

from cvdops.approvals.models import ApprovalRequest
from cvdops.catalog.models import CatalogSource
from cvdops.catalog.polling import claim_look
from cvdops.executions import engine, recovery
from cvdops.executions.models import Execution, StepRun
from tests.executions.test_engine import block
from tests.faults.play import expire_leases, play, victim
from tests.faults.rig import Rig

GATE = "#### Gate\n```approval {#gate}\napprovers: [operations-manager]\n```\n"
QUEUES = ["env.development"]
FAILS_ONCE = 'echo run >>\'{0}/\'"$TRY"; test "$(wc -l <\'{0}/\'"$TRY")" = 2'


def at_a_gate(rig: Rig) -> Execution:
    """It waits for a decision whose time is over."""
    execution = rig.scene.run()
    expired = ApprovalRequest.objects.filter(execution_id=execution.pk)
    expired.update(expires_at=Now() - timedelta(seconds=1))
    return execution


def happened(execution: Execution, *kinds: str) -> list[int]:
    return [execution.events.filter(kind=kind).count() for kind in kinds]


def schedule(name: str) -> int:
    """What the pulse of a worker does now and then. Returns how many looks at the catalog it was given."""
    try:
        looks = claim_look()
        recovery.rescue()
        for execution in recovery.due(QUEUES, 100):
            engine.advance(execution, name)
        return looks
    finally:
        connections.close_all()


def three_at_once(times: int) -> int:
    with ThreadPoolExecutor(3) as pool:
        return sum(pool.map(schedule, [f"scheduler {n % 3}" for n in range(3 * times)]))


def overdue() -> None:
    """As if an hour had passed."""
    hour = timedelta(hours=1)
    Execution.objects.exclude(due_at=None).update(due_at=Now() - hour)
    StepRun.objects.exclude(due_at=None).update(due_at=Now() - hour)
    Execution.objects.filter(state="queued").update(state_since=Now() - hour)


def test_three_look_for_what_is_due(rig: Rig, settings: Settings) -> None:
    settings.RUNBOOKS_POLL = 60
    rig.scene.runbook(GATE)
    gates = [at_a_gate(rig) for _ in range(5)]
    variable = "variables: {TRY: {required: true}}\n"
    rig.scene.runbook(block("one", FAILS_ONCE.format(rig.folder), "retry=1"), extra=variable)
    retries = [rig.scene.run(variables={"TRY": f"try{n}"}) for n in range(5)]
    assert {execution.waiting_for["code"] for execution in retries} == {"retry"}
    CatalogSource.objects.all().delete()
    overdue()
    assert three_at_once(4) == 1
    overdue()
    three_at_once(2)
    for execution in gates:
        assert happened(execution, "step.expire", "execution.expire") == [1, 1]
    for n, execution in enumerate(retries):
        assert happened(execution, "step.begin", "execution.succeed") == [2, 1]
        assert (rig.folder / f"try{n}").read_text() == "run\nrun\n"


def test_one_dies_at_every_place(rig: Rig) -> None:
    rig.scene.runbook(GATE)
    place, code = 0, 9
    while code == 9:
        place += 1
        execution = at_a_gate(rig)
        code = victim(execution, f"*:{place}")
        expire_leases()
        play(execution.pk)
        assert happened(execution, "step.expire", "execution.expire") == [1, 1]
    assert (code, place > 3) == (0, True)
