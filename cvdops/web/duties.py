"""What waits for one person: executions to go on with, to close, to supervise."""

from collections.abc import Iterable

from django.db.models import Count, Exists, F, OuterRef, Q

from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.executions import waits
from cvdops.executions.checklists import MONITORING
from cvdops.executions.models import ChecklistMark, Execution, Participant
from cvdops.executions.queries import plain_matter, visible_to
from cvdops.executions.states import ExecutionState
from cvdops.web.summaries import Running

SHOWN = 20
STANDING = (ExecutionState.WAITING, ExecutionState.PAUSED)
BY_APPROVAL = "approval"


def _run_by(user: User) -> Exists:
    """Whether this person runs an execution now: a part of a query."""
    mine = Participant.objects.filter(user=user, part=Participant.Part.OPERATOR, left_at=None)
    return Exists(mine.filter(execution=OuterRef("pk")))


def to_go_on(user: User, running: Iterable[Running]) -> list[Running]:
    """Those that stand still for whom they are run by: a step failed, something is to be confirmed."""
    standing = [
        row
        for row in running
        if row.execution.state in STANDING
        and row.execution.waiting_for.get("code") != BY_APPROVAL
        and row.execution.opens_at is None  # what is queued begins by itself
    ]
    ids = [row.execution.pk for row in standing]
    mine = set(Execution.objects.filter(_run_by(user), pk__in=ids).values_list("pk", flat=True))
    return [row for row in standing if row.execution.pk in mine]


def to_supervise(user: User, running: Iterable[Running]) -> list[Running]:
    """Those that begin when somebody joins as supervisor, as this person may."""
    return [
        row
        for row in running
        if row.execution.state == ExecutionState.PENDING
        and row.execution.waiting_for.get("code") == waits.SUPERVISOR
        and row.execution.requested_by.person != user.person
        and can(user, Action.SUPERVISE, plain_matter(row.execution)).allowed
    ]


def to_close(user: User) -> list[Execution]:
    """What this person ran and has to close, with the number of items left; the oldest first.

    What the portal itself is still watching is no item for people yet.
    """
    left = Q(checklist__moment=ChecklistMark.Moment.AFTER, checklist__confirmed_at=None)
    watched = Q(closing__watched_until__isnull=False, closing__health="")
    for_people = left & ~(watched & Q(checklist__position=MONITORING))
    mine = visible_to(user).filter(
        _run_by(user), closing__closed_at=None, closing__ended_at=F("finished_at")
    )
    found = mine.annotate(left=Count("checklist", filter=for_people)).filter(left__gt=0)
    return list(found.select_related("closing").order_by("id")[:SHOWN])
