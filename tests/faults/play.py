"""An execution played to its end by a worker and the people that it waits for, in one process.

As a program, `tests.faults.play EXECUTION FAILPOINT`, a fork of the nursery, it dies at that place.
"""

import os
import sys
from contextlib import suppress
from uuid import UUID

from django.db import connection
from django.db.models.functions import Now

from cvdops.accounts.models import User
from cvdops.approvals.models import ApprovalRequest
from cvdops.executions import engine, recovery, services
from cvdops.executions.leases import PAUSE
from cvdops.executions.models import Execution, StepRun
from cvdops.lib import failpoints
from cvdops.lib.errors import Conflict
from tests.faults.workers import database_url
from tests.nursery import nursery

ROUNDS = 40


def play(pk: UUID) -> Execution:
    """Until it is over. Whoever held it before is dead: the leases have run out."""
    for _ in range(ROUNDS):
        _hasten()
        for execution in Execution.objects.filter(finished_at=None).order_by("-pk"):
            engine.advance(execution.pk, f"player:{os.getpid()}")
        recovery.rescue()
        _press()
        execution = Execution.objects.get(pk=pk)
        if execution.is_over:
            recovery.rescue()
            return execution
    raise AssertionError(f"{execution} is {execution.state} still: {execution.waiting_for}")


def _hasten() -> None:
    """As if the seconds before a next try had passed."""
    StepRun.objects.exclude(due_at=None).update(due_at=Now())
    Execution.objects.filter(waiting_for__code="retry").update(due_at=Now())


def _press() -> None:
    """What people are waited for: approve, confirm."""
    for request in ApprovalRequest.objects.filter(state="open"):
        manager = User.objects.get(username="operations-manager")
        with suppress(Conflict):
            services.decide(manager, request.pk, "approve", "", request.plan_digest)
    for execution in Execution.objects.filter(state="waiting", waiting_for__code="person"):
        engineer = User.objects.get(username="devops-engineer")
        step = execution.steps.get(state="waiting")
        open_items = step.checklist.filter(confirmed_at=None).values_list("position", flat=True)
        with suppress(Conflict):
            services.confirm(engineer, execution.pk, step.pk, list(open_items))


def expire_leases() -> None:
    """As if they had run out, and nobody waited any longer."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE executions_execution "
            "SET lease_until = clock_timestamp() - make_interval(secs => %s) "
            "WHERE lease_until IS NOT NULL",
            [PAUSE + 1],
        )


def victim(execution: Execution, failpoint: str) -> int:
    """Play it in a process that dies at this place; its exit code: 0 if it never came there."""
    words = ["tests.faults.play", str(execution.pk), failpoint]
    return nursery().start(words, {"DATABASE_URL": database_url()}, stderr=2).wait()


if __name__ == "__main__":
    failpoints.arm(sys.argv[2])
    play(UUID(sys.argv[1]))
