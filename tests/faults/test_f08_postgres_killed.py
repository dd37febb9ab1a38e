"""F8: PostgreSQL is killed during output and transitions."""

import time

import pytest

from cvdops.approvals.models import ApprovalRequest
from cvdops.executions.models import Execution
from tests.faults.portal import Portal, Visit
from tests.faults.servers import Database
from tests.waiting import until

GATE = "#### Gate\n```approval {#gate}\napprovers: [operations-manager]\n```\n"


def decide(portal: Portal, manager: Visit) -> ApprovalRequest:
    """Start an execution and approve it, as a person does. Returns what was approved."""
    (execution,) = portal.rig.start()
    gates = ApprovalRequest.objects.filter(execution_id=execution.pk)
    gate = until(gates.first, what="the gate")
    assert manager.approve(gate).status == 302
    return gate


def kill(database: Database, visitor: Visit) -> None:
    """Kill it; pages say so; it comes back, and with it the pages."""
    database.kill()
    answer = visitor.page("/executions/")
    assert answer.status == 503
    assert "cannot reach its database" in answer.text
    database.start()
    until(lambda: visitor.page("/executions/").status == 200, what="pages again")


def trial(database: Database, portal: Portal, executions: int, kills: int) -> None:
    rig = portal.rig
    rig.runbook(rig.step("one", seconds=0.3), GATE, rig.step("two", seconds=1.5, lines=60))
    manager = portal.visit("operations-manager")
    gates: list[ApprovalRequest] = []
    for _ in range(kills):
        if len(gates) < executions:
            gates.append(decide(portal, manager))
        time.sleep(rig.chance.uniform(0, 0.4))
        kill(database, manager)
        decided = ApprovalRequest.objects.filter(pk__in=[gate.pk for gate in gates])
        assert {gate.state for gate in decided} == {"approved"}
    started = list(Execution.objects.filter(pk__in=[gate.execution_id for gate in gates]))
    rig.settled(started)
    rig.truth(started)
    assert "Traceback" not in portal.web.said()


def test_postgres_is_killed_twice(own_database: Database, portal: Portal) -> None:
    trial(own_database, portal, executions=2, kills=2)


@pytest.mark.faults
def test_postgres_is_killed_fifteen_times(own_database: Database, portal: Portal) -> None:
    trial(own_database, portal, executions=8, kills=15)
