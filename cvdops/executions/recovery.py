"""What is due, found by query, so that no message is needed: looks for workers, and `rescue` for the rest."""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from cvdops.approvals import services as approvals
from cvdops.approvals.models import ApprovalRequest, RequestState
from cvdops.executions import children, locks
from cvdops.executions.hints import announce, wake
from cvdops.executions.leases import RAN_OUT, UNCONFIRMED
from cvdops.executions.models import Execution, StepRun
from cvdops.executions.states import ExecutionEvent, StepEvent, StepState
from cvdops.executions.transitions import Hand, Superseded
from cvdops.lib import statements
from cvdops.spec.document import Kind

_LOCK = 0x43564402  # advisory: one rescue at a time, whoever comes first


def rescue() -> None:
    """Let those go on whose wait is over: for a lock, a child, a decision. Idempotent, by any worker."""
    if not _anything():
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            if not cursor.fetchone()[0]:
                return
        locks.free()
        locks.call_next()
        requests = _expired()
    children.settle()
    for request, execution in requests:
        _expire(request, execution)


def _anything() -> bool:
    """Whether there may be something to do: mostly not, and to look everywhere costs ten times this."""
    with statements.cursor() as cursor:
        cursor.execute(
            """
            SELECT EXISTS (SELECT FROM executions_lock)
                OR EXISTS (SELECT FROM approvals_approvalrequest
                            WHERE state = 'open' AND expires_at <= statement_timestamp())
                OR EXISTS (SELECT FROM executions_execution e
                            WHERE state = 'waiting'
                              AND (waiting_for->>'code' = %s
                                   OR EXISTS (SELECT FROM executions_steprun s
                                               WHERE s.execution_id = e.id
                                                 AND s.state = 'waiting' AND s.kind = %s)))
            """,
            [locks.CODE, Kind.RUNBOOK],
        )
        return bool(cursor.fetchone()[0])


def due(queues: Sequence[str], limit: int) -> list[UUID]:
    """What workers of these queues have to look at: runnable and unowned for a second, its lease run
    out, or waiting with something to do: its time has come, or it was cancelled in the moment in which
    it began to wait. A stop that is not confirmed keeps the cancel asked, and has its time."""
    with statements.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT id FROM executions_execution
             WHERE ((state = 'queued' AND state_since < clock_timestamp() - interval '1 second')
                OR (state IN ('running', 'rolling_back') AND {RAN_OUT})
                OR (state = 'waiting'
                    AND (due_at <= clock_timestamp()
                         OR (intent IN ('cancel', 'give_up')
                             AND waiting_for->>'code' IS DISTINCT FROM %s))))
               AND 'env.' || environment_id = ANY(%s)
             ORDER BY id LIMIT %s
            """,
            [UNCONFIRMED, list(queues), limit],
        )
        return [execution for (execution,) in cursor.fetchall()]


def _expired() -> list[tuple[UUID, UUID]]:
    open_requests = ApprovalRequest.objects.filter(state=RequestState.OPEN, expires_at__lte=Now())
    return list(open_requests.values_list("pk", "execution_id")[:100])


def _expire(request: UUID, execution: UUID) -> None:
    """Close a request that nobody decided; its execution goes on to its end."""
    try:
        with transaction.atomic():
            # the execution's row first, then the request's: everybody locks in this order
            Execution.objects.select_for_update().only("pk").get(pk=execution)
            if not approvals.expire(request):
                return
            gate = ApprovalRequest.objects.values_list("gate", flat=True).get(pk=request)
            step = StepRun.objects.get(execution=execution, key=gate, state=StepState.WAITING)
            hand = Hand(execution)
            hand.step(step.pk, StepEvent.EXPIRE)
            announce(execution, hand.move(ExecutionEvent.READY))
            wake(execution, f"env.{step.execution.environment_id}")
    except (Superseded, StepRun.DoesNotExist):
        return
