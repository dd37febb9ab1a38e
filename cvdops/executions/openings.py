"""When what is queued for a window begins: by the windows as they are now. Who asked for it hears of changes.

Everything follows from the calendar and the clock: any worker may look, as often as it likes, and tells
nobody twice.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from cvdops.environments import calendar
from cvdops.environments.schedule import Span, State, said
from cvdops.executions.estimate import estimate
from cvdops.executions.hints import announce, wake
from cvdops.executions.models import Execution
from cvdops.executions.plan import from_json
from cvdops.executions.states import ACTIVE, ExecutionState
from cvdops.executions.transitions import DatabaseNow, Hand
from cvdops.executions.waits import WINDOW
from cvdops.lib.together import Fixed
from cvdops.notifications import addresses
from cvdops.notifications import services as notifications
from cvdops.notifications.models import Notice


def begins(execution: Execution) -> datetime | None:
    """When it begins, by the windows as they are now; None if it is not queued for one, or none is planned."""
    if execution.opens_at is None:
        return None
    return _when(execution.opens_at, calendar.standing(execution.environment_id), calendar.now())


@Fixed
def queued() -> QuerySet[Execution, tuple[UUID, datetime | None, str]]:
    """What waits for a window: which, until when, where."""
    found = Execution.objects.filter(state__in=ACTIVE, opens_at__isnull=False)
    return found.values_list("pk", "opens_at", "environment")


def follow() -> None:
    """Move what is queued to where the windows are now. Idempotent, by any worker."""
    standings: dict[str, State] = {}
    for pk, opens_at, environment in queued():
        standings[environment] = standings.get(environment) or calendar.standing(environment)
        if opens_at and _when(opens_at, standings[environment], calendar.now()) != opens_at:
            with transaction.atomic():
                locked = Execution.objects.select_for_update(of=("self",))
                _move(locked.select_related("runbook", "version", "requested_by").get(pk=pk))


def _when(planned: datetime, standing: State, now: datetime) -> datetime | None:
    if standing.open:
        return min(planned, now)
    return standing.opening.start if standing.opening else None


def _move(execution: Execution) -> None:
    """What a worker holds is left to it: it looks at the windows itself, and rests or begins."""
    planned, now = execution.opens_at, calendar.now()
    if planned is None or execution.lease_until is not None or execution.is_over:
        return
    standing = calendar.standing(execution.environment_id)
    opens_at = _when(planned, standing, now)
    if opens_at == planned:
        return
    why = (
        f"the windows of {execution.environment_id} were changed"
        if planned > now
        else "its window is closed again and it had not begun"
    )
    if opens_at is None:
        then = f"No window is planned any more in which it could begin: {why}. Have one added, or cancel it."
    elif standing.open:
        then = f"It begins now, not on {said(planned)}: {why}."
    else:
        then = f"It begins on {said(opens_at)}, not on {said(planned)}: {why}."
        then += _late(execution, standing.opening)
    # a move is told each time; that there is no window, once
    key = str(execution.seq) if opens_at else f"none:{planned.isoformat()}"
    if not _tell(execution, then, key):
        return
    hand = Hand(execution.pk)
    fields: dict[str, Any] = {"opens_at": opens_at or planned}
    waits = execution.waiting_for.get("code") == WINDOW
    if waits and execution.state == ExecutionState.WAITING:
        # A worker looks at once: at its approval, which was given for other windows, and at the new time.
        fields["due_at"] = DatabaseNow
        wake(execution.pk, f"env.{execution.environment_id}")
    announce(execution.pk, hand.change("execution.moved", {"text": then}, **fields))


def _late(execution: Execution, opening: Span | None) -> str:
    took = estimate(
        from_json(execution.plan), str(execution.version.metadata.get("estimated_time", ""))
    )
    if opening is None or not took.late(opening.start, opening.end):
        return ""
    return " It may not be done, with time to be rolled back, before that one closes."


def _tell(execution: Execution, text: str, key: str) -> bool:
    """Tell who asked for it, and take back what they were told before. False if they know it by this key."""
    subject = f"queued:{execution.pk}"
    key = f"{subject}:{key}"
    if Notice.objects.filter(user=execution.requested_by, key=key).exists():
        return False
    notifications.settle([subject])
    notifications.tell(
        [execution.requested_by],
        subject=subject,
        key=key,
        text=f"{execution.runbook.title} {execution} in {execution.environment_id}. {text}",
        path=addresses.execution(execution.pk),
    )
    return True
