"""F10: the database fails over to a hot standby, which has everything, or is behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cvdops.approvals.models import ApprovalRequest
from cvdops.executions.models import Execution, StepAttempt
from tests.faults.conftest import open_folder
from tests.faults.portal import Portal, web
from tests.faults.rig import Rig
from tests.faults.servers import at
from tests.faults.standby import Pair, pair
from tests.waiting import until

GATE = "#### Gate\n```approval {#gate}\napprovers: [operations-manager]\n```\n"


@pytest.fixture
def servers(
    transactional_db: None, empty_database: Path, request: pytest.FixtureRequest
) -> Iterator[Pair]:
    """To be asked for before the rig. Its parameter: whether a commit waits for the standby."""
    with (
        open_folder() as folder,
        pair(folder, empty_database, synchronous=request.param) as servers,
        at(servers.url),
    ):
        yield servers


@pytest.fixture
def portal(servers: Pair, rig: Rig, tmp_path: Path) -> Iterator[Portal]:
    """One that knows both servers."""
    url = {"DATABASE_URL": servers.url}
    with web(tmp_path, **url) as server, rig.workers(1, **url) as workers:
        yield Portal(rig, server, workers)


def begin(portal: Portal) -> Execution:
    portal.rig.scene.person("operations-manager")  # before anything can be lost
    portal.rig.runbook(portal.rig.step("one"), GATE, portal.rig.step("two", seconds=3))
    (execution,) = portal.rig.start()
    return execution


def approve(portal: Portal, execution: Execution) -> None:
    """Its gate, by a page; acknowledged."""
    gates = ApprovalRequest.objects.filter(execution_id=execution.pk, state="open")
    gate = until(gates.first, what="the gate")
    manager = portal.visit("operations-manager")
    assert manager.approve(gate).status == 302


@pytest.mark.parametrize("servers", [True], indirect=True)
def test_a_standby_that_has_everything(servers: Pair, portal: Portal) -> None:
    execution = begin(portal)
    approve(portal, execution)
    servers.fail_over()
    assert ApprovalRequest.objects.get(execution_id=execution.pk).state == "approved"
    portal.rig.settled([execution])
    portal.rig.truth([execution])


@pytest.mark.parametrize("servers", [False], indirect=True)
@pytest.mark.parametrize("word", ["begin", "end"])
def test_a_standby_that_is_behind(servers: Pair, portal: Portal, word: str) -> None:
    """It has never heard of the approval, nor of the step that ran after it: that is not run again."""
    rig, execution = portal.rig, begin(portal)
    until(ApprovalRequest.objects.exists, what="the gate")
    servers.leave_behind()
    approve(portal, execution)
    ran = {"begin": 3, "end": 4}[word]
    until(lambda: len(rig.effects.counted()) == ran, what="the second step")
    if word == "end":
        rig.settled([execution])
    servers.fail_over()
    assert not StepAttempt.objects.filter(step__key="two").exists()
    approve(portal, execution)
    if word == "end":
        until(lambda: "lost what became of it" in rig.scene.steps(execution)["two"].note)
        at_rest = Execution.objects.filter(pk=execution.pk, state="waiting")
        until(at_rest.exists, what="the question what to do")
    else:
        rig.settled([execution])
    assert execution.events.filter(kind="step.found").exists()
    rig.truth([execution])
