"""Emergencies: declared by a Lead with the start, reviewed afterwards."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from cvdops.access.policy import Action, Decision, Sight, can, sight, standing_of, within
from cvdops.accounts.models import User
from cvdops.approvals.models import Decision as Decided
from cvdops.audit.log import record
from cvdops.environments import calendar
from cvdops.environments.schedule import State
from cvdops.executions import participants
from cvdops.executions.hints import announce
from cvdops.executions.models import Emergency, Execution, StepRun
from cvdops.executions.models.emergency import NOTICE
from cvdops.executions.priorities import Priority
from cvdops.executions.queries import get_execution, matter
from cvdops.executions.transitions import Hand
from cvdops.lib.errors import Conflict, Invalid, Problem, Reason
from cvdops.lib.together import Fixed, Read, ahead
from cvdops.notifications import addresses
from cvdops.notifications import services as notifications
from cvdops.spec.document import Kind

MAX_TEXT = 2000  # characters
COUNTED = timedelta(days=30)
SHOWN = 20  # reviews that are due
MANAGERS = frozenset({"operations-manager", "cto"})  # who answers for emergencies, approval or not


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a Lead says who starts something as an emergency. `priority`: P0 to P3."""

    priority: str
    reason: str
    notified_at: datetime | None = None
    short_notice: str = ""


def problems(declared: Declaration, standing: State, *, changes: bool) -> list[Problem]:
    """What stands in the way of this declaration, of a start that changes something or does not."""
    found = []
    if standing.open or not changes:
        text = "No window is in its way: nothing has to be declared. Start it as usual."
        found.append(Problem("emergency_reason", text))
    if declared.priority not in Priority.values:
        found.append(Problem("priority", f"Say how urgent it is: {', '.join(Priority.values)}."))
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
        priority=declared.priority,
        reason=declared.reason.strip(),
        declared_by=user,
        notified_at=declared.notified_at,
        short_notice=declared.short_notice.strip() if _short(declared) else "",
    )
    data = {
        "verb": "declare",
        "environment": execution.environment_id,
        "priority": made.priority,
        "reason": made.reason,
        "notified_at": str(made.notified_at or ""),
        "short_notice": made.short_notice,
    }
    record(user, Action.START, "emergency", execution.pk, data=data)
    where = f"{execution.environment_id}, execution {execution}"
    notifications.announce(  # whoever reads the channel may not know of the runbook: it is not named
        key=f"emergency:{execution.pk}",
        text=f"Emergency {made.priority}: {user.name} has declared one in {where}.",
        path=addresses.execution(execution.pk),
    )
    announce(
        execution.pk,
        Hand(execution.pk, actor=user).change(
            "emergency.declared", {"text": f"{made.priority}: {made.reason}"}
        ),
    )


def may_review(user: User, emergency: Emergency) -> Decision:
    """Whether this person may close its review: a Lead, a manager or who approved it, never who declared it."""
    if user.person == emergency.declared_by.person:
        return _OWN
    held = standing_of(user).held_in(emergency.execution.environment_id)
    if any(one.role in MANAGERS for one in held):
        return Decision()
    if approvals(emergency.pk, user.person):
        return Decision()
    decision = can(user, Action.OVERRIDE, matter(emergency.execution))
    return decision if decision.allowed else Decision((*decision.reasons, _OR_A_MANAGER))


@Read
def approvals(execution_id: UUID, person: UUID) -> QuerySet[Decided]:
    """Those that somebody gave to this execution."""
    given = Decided.objects.filter(verdict=Decided.Verdict.APPROVE)
    return given.filter(request__execution_id=execution_id, person=person)


def review(user: User, execution_id: UUID | str, text: str) -> None:
    """Write the review of an emergency that is over. Raises NotFound, Refused, Invalid, Conflict."""
    execution = get_execution(user, execution_id)
    emergency = Emergency.objects.select_related("declared_by").filter(execution=execution).first()
    if emergency is None:
        can(user, Action.OVERRIDE, matter(execution)).enforce()
        raise Conflict("There is no review due for this execution.")
    may_review(user, emergency).enforce()
    if not text.strip() or len(text) > MAX_TEXT:
        message = (
            f"Say what happened and what is learned from it, in {MAX_TEXT} characters at most."
        )
        raise Invalid([Problem("review", message)])
    if not execution.is_over:
        raise Conflict("It is not over yet: its review is written afterwards.")
    if not emergency.ran:
        raise Conflict("Nothing of it ran: there is nothing to review.")
    with transaction.atomic():
        done = Emergency.objects.filter(execution=execution, reviewed_at=None).update(
            review=text.strip(), reviewed_by=user, reviewed_at=Now()
        )
        if not done:
            raise Conflict("There is no review due for this execution.")
        record(user, Action.OVERRIDE, "emergency", execution.pk, data={"verb": "review"})
        hand = Hand(execution.pk, actor=user)
        announce(execution.pk, hand.change("emergency.reviewed", {"text": text.strip()}))


def to_review(user: User) -> list[Emergency]:
    """Those that ran, are over, and whose review this person may close; the oldest first."""
    found = due(user.person, sight(user))
    for_each = ((approvals.of(e.pk, user.person), participants.here.of(e.pk)) for e in found)
    ahead(*chain.from_iterable(for_each))
    for emergency in found:
        emergency.ran = True  # as the read has asked
    return [emergency for emergency in found if may_review(user, emergency).allowed]


@Fixed
def due(person: UUID, sight: Sight) -> QuerySet[Emergency]:
    """The oldest that they see and that somebody else declared."""
    found = Emergency.objects.filter(_within(sight), _RAN, reviewed_at=None)
    found = found.filter(execution__finished_at__isnull=False)
    found = found.exclude(declared_by__person=person).select_related(
        "execution__runbook", "execution__version", "execution__environment", "declared_by"
    )
    return found.defer(*_LONG).order_by("execution__finished_at")[:SHOWN]


def count(user: User) -> int:
    """How many that they see there were in thirty days: an exception that becomes a habit is seen.

    What ended before anything of it ran is none.
    """
    return len(lately(sight(user)))


@Fixed
def lately(sight: Sight) -> QuerySet[Emergency, UUID]:
    """The same, by their executions."""
    found = Emergency.objects.filter(declared_at__gt=Now() - COUNTED)
    found = found.filter(_within(sight))
    ran = found.filter(Q(execution__finished_at__isnull=True) | Q(_RAN))
    return ran.values_list("execution_id", flat=True)


def _within(sight: Sight) -> Q:
    """Those of executions that somebody sees: a part of a query."""
    return within(sight, "execution__runbook__category", "execution__environment")


# No list shows them.
_LONG = ("execution__plan", "execution__session", "execution__sealed", "execution__version__source")
_OWN = Decision(
    (
        Reason(
            "same_person",
            "You declared it: somebody else closes its review.",
            "Ask another Lead, the Operations Manager, the CTO, or who approved it.",
        ),
    )
)
_OR_A_MANAGER = Reason(
    "manager",
    "Closing a review is for Leads, the Operations Manager, the CTO, and who approved the emergency.",
    "Ask one of them.",
)
_RAN = Exists(
    StepRun.objects.filter(execution=OuterRef("execution"), started_at__isnull=False).exclude(
        kind=Kind.APPROVAL
    )
)
