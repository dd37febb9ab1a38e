"""Emergencies: declared by a Lead with the start, reviewed afterwards."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.environments import calendar
from cvdops.environments.schedule import State
from cvdops.executions.hints import announce
from cvdops.executions.models import Emergency, Execution
from cvdops.executions.models.emergency import NOTICE
from cvdops.executions.queries import get_execution, matter, visible_to
from cvdops.executions.transitions import Hand
from cvdops.lib.errors import Conflict, Invalid, Problem

MAX_TEXT = 2000  # characters
COUNTED = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a Lead says who starts something as an emergency."""

    reason: str
    notified_at: datetime | None = None
    short_notice: str = ""


def problems(declared: Declaration, standing: State, *, changes: bool) -> list[Problem]:
    """What stands in the way of this declaration, of a start that changes something or does not."""
    found = []
    if standing.open or not changes:
        text = "No window is in its way: nothing has to be declared. Start it as usual."
        found.append(Problem("emergency_reason", text))
    if not declared.reason.strip():
        found.append(Problem("emergency_reason", "Say why it cannot wait for the window."))
    if declared.notified_at and declared.notified_at > calendar.now():
        found.append(Problem("notified_at", "Say when they were told, not when they will be."))
    if _short(declared) and not declared.short_notice.strip():
        text = "They were not told two hours ago. Say why it could not be so."
        found.append(Problem("short_notice", text))
    for name, text in (
        ("emergency_reason", declared.reason),
        ("short_notice", declared.short_notice),
    ):
        if len(text) > MAX_TEXT:
            found.append(Problem(name, f"At most {MAX_TEXT} characters."))
    return found


def _short(declared: Declaration) -> bool:
    return declared.notified_at is None or declared.notified_at > calendar.now() - NOTICE


def store(execution: Execution, user: User, declared: Declaration) -> None:
    """Inside the transaction of the start."""
    made = Emergency.objects.create(
        execution=execution,
        reason=declared.reason.strip(),
        declared_by=user,
        notified_at=declared.notified_at,
        short_notice=declared.short_notice.strip() if _short(declared) else "",
    )
    data = {
        "verb": "declare",
        "environment": execution.environment_id,
        "reason": made.reason,
        "notified_at": str(made.notified_at or ""),
        "short_notice": made.short_notice,
    }
    record(user, Action.START, "emergency", execution.pk, data=data)
    announce(
        execution.pk,
        Hand(execution.pk, actor=user).change("emergency.declared", {"text": made.reason}),
    )


def review(user: User, execution_id: UUID | str, text: str) -> None:
    """Write the review of an emergency that is over. Raises NotFound, Refused, Invalid, Conflict."""
    execution = get_execution(user, execution_id)
    can(user, Action.OVERRIDE, matter(execution)).enforce()
    if not text.strip() or len(text) > MAX_TEXT:
        message = (
            f"Say what happened and what is learned from it, in {MAX_TEXT} characters at most."
        )
        raise Invalid([Problem("review", message)])
    if not execution.is_over:
        raise Conflict("It is not over yet: its review is written afterwards.")
    with transaction.atomic():
        done = Emergency.objects.filter(execution=execution, reviewed_at=None).update(
            review=text.strip(), reviewed_by=user, reviewed_at=Now()
        )
        if not done:
            raise Conflict("There is no review due for this execution.")
        record(user, Action.OVERRIDE, "emergency", execution.pk, data={"verb": "review"})
        hand = Hand(execution.pk, actor=user)
        announce(execution.pk, hand.change("emergency.reviewed", {"text": text.strip()}))


def to_review(user: User) -> QuerySet[Emergency]:
    """Those that are over and that this person declared or asked for, the oldest first."""
    found = Emergency.objects.filter(execution__in=visible_to(user), declared_by=user)
    found = found.filter(reviewed_at=None, execution__finished_at__isnull=False)
    return found.select_related("execution__runbook").order_by("execution__finished_at")


def count(user: User) -> int:
    """How many that they see were declared in thirty days: an exception that becomes a habit is seen."""
    lately = Emergency.objects.filter(declared_at__gt=Now() - COUNTED)
    return lately.filter(execution__in=visible_to(user)).count()
