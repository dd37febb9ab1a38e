"""After a backup was restored: nothing goes on by itself, and nothing that was open then is open again.

What happened after the backup is on the targets and in people's memory, not in this database. So every
execution that was under way is paused for a person, and each step that ran is interrupted.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Max
from django.db.models.functions import Now

from cvdops.accounts.models import Session, Token
from cvdops.approvals import services as approvals
from cvdops.approvals.models import ApprovalRequest, RequestState
from cvdops.audit import heads
from cvdops.audit.log import record
from cvdops.audit.models import Seal
from cvdops.executions import stops
from cvdops.executions.models import Event, Execution, StepRun, Worker
from cvdops.executions.queues import ALIVE
from cvdops.executions.states import ACTIVE, ExecutionEvent, Intent, StepEvent, StepState
from cvdops.executions.transitions import AFRESH, Hand
from cvdops.lib.errors import Conflict
from cvdops.spec.document import Kind

CODE = "restored"  # of `waiting_for`
_NOTE = "The database was restored: how far it came, and what was done after it, is not known here."


@dataclass(frozen=True, slots=True)
class Report:
    """What was held, and the time of the newest entry: what came after it is lost."""

    backup: datetime | None
    executions: int
    steps: int
    approvals: int
    sessions: int


def hold_everything() -> Report:
    """Raises Conflict while a worker lives: it must not carry on what is being held."""
    if Worker.objects.filter(left_at=None, seen_at__gte=Now() - ALIVE).exists():
        raise Conflict("A worker is running. Stop all workers, then run this again.")
    with transaction.atomic():
        # What the chain had beyond this is lost with everything else, and said to be.
        heads.note_restored(Seal.objects.aggregate(newest=Max("pk"))["newest"] or 0)
        backup = Event.objects.aggregate(newest=Max("at"))["newest"]
        active = Execution.objects.filter(state__in=ACTIVE).order_by("pk")
        executions = list(active.select_for_update().values_list("pk", flat=True))
        # A worker of before, should one live somewhere, is refused by its token.
        active.update(lease_token=F("lease_token") + 1, lease_until=None, lease_owner="")
        steps = sum(_hold(execution, backup) for execution in executions)
        requests = ApprovalRequest.objects.filter(state=RequestState.OPEN).count()
        for execution in ApprovalRequest.objects.values_list("execution_id", flat=True).distinct():
            approvals.void(execution)
        sessions = Session.objects.all().delete()[0]
        Token.objects.filter(revoked_at=None).update(
            revoked_at=Now()
        )  # some were, after the backup
        Worker.objects.all().delete()
        report = Report(backup, len(executions), steps, requests, sessions)
        data = {"executions": report.executions, "steps": steps, "approvals": requests}
        record(None, "restored", "database", backup, data=data)
    return report


def _hold(execution: UUID, backup: datetime | None) -> int:
    """Pause it. How many of its steps ran."""
    hand = Hand(execution)
    running = list(StepRun.objects.filter(execution=execution, state=StepState.RUNNING))
    for step in running:
        stops.leave_unseen(hand, step, _NOTE)
    # Whoever asked those to stop, and why, is forgotten: they are looked for as those that ran.
    asked = StepRun.objects.filter(execution=execution, unconfirmed=True)
    asked.update(unconfirmed=False, note=_NOTE)
    # A child is an execution of its own, which is held too; everything else is opened anew.
    open_steps = StepRun.objects.filter(execution=execution, state=StepState.WAITING)
    for step in open_steps.exclude(kind=Kind.RUNBOOK):
        hand.step(step.pk, StepEvent.RESET, note="", **AFRESH)
    when = f"{backup:%Y-%m-%d %H:%M UTC}" if backup else "an unknown time"
    text = (
        f"This database was restored from a backup of {when}. Find out what was done since, "
        "then resume or cancel"
    )
    hand.move(
        ExecutionEvent.HOLD,
        {"text": when},
        waiting_for={"code": CODE, "text": text, "step": ""},
        intent=Intent.NONE,
        due_at=None,
    )
    return len(running)
