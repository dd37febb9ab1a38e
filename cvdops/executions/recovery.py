"""`rescue`: find by query whatever is due and ask a worker to look at it. Idempotent, by any worker."""

from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from cvdops.approvals import services as approvals
from cvdops.approvals.models import ApprovalRequest, RequestState
from cvdops.executions import children, locks
from cvdops.executions.hints import announce, wake
from cvdops.executions.models import Execution, StepRun
from cvdops.executions.states import ExecutionEvent, StepEvent, StepState
from cvdops.executions.transitions import Hand, Superseded

_LOCK = 0x43564402  # advisory: one rescue at a time, whoever comes first


def rescue() -> int:
    """Ask for a look at every execution that is due. Returns how many; 0 if another worker is at it."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            if not cursor.fetchone()[0]:
                return 0
        locks.free()
        locks.call_next()
        due = _due()
        for execution, queue in due:
            wake(execution, queue)
        requests = _expired()
    children.settle()
    for request, execution in requests:
        _expire(request, execution)
    return len(due)


def _due() -> list[tuple[UUID, str]]:
    """Runnable and unowned for a second, its lease run out, or waiting with something to do:
    its time has come, or it was cancelled in the moment in which it began to wait."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, 'env.' || environment_id FROM executions_execution
             WHERE (state = 'queued' AND state_since < clock_timestamp() - interval '1 second')
                OR (state IN ('running', 'rolling_back') AND lease_until < clock_timestamp())
                OR (state = 'waiting' AND (due_at <= clock_timestamp() OR intent = 'cancel'))
             ORDER BY id LIMIT 500
            """
        )
        return list(cursor.fetchall())


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
