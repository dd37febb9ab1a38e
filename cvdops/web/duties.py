"""What waits for one person: executions to go on with, to close, to supervise."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KeyTransform

from cvdops.access.levels import Level
from cvdops.access.models import RoleGrant
from cvdops.access.policy import Action, Matter, Sight, can, sight
from cvdops.accounts.models import User
from cvdops.executions import waits
from cvdops.executions.checklists import MONITORING
from cvdops.executions.models import ChecklistMark, Execution, Participant
from cvdops.executions.queries import plain_matter, visible
from cvdops.executions.states import ExecutionState
from cvdops.lib.together import Fixed
from cvdops.web.summaries import Running

SHOWN = 20
LOOKED_AT = 60  # executions that are to be closed
STANDING = (ExecutionState.WAITING, ExecutionState.PAUSED)
BY_APPROVAL = "approval"


def _run_by(user: int) -> Exists:
    """Whether this person runs an execution now: a part of a query."""
    mine = Participant.objects.filter(user=user, part=Participant.Part.OPERATOR, left_at=None)
    return Exists(mine.filter(execution=OuterRef("pk")))


def to_go_on(user: User, running: Iterable[Running]) -> list[Running]:
    """Those that stand still for whom they are run by: a step failed, something is to be confirmed.

    Where whoever ran it may not go on with it any more, it falls to those who lead.
    """
    standing = [
        row
        for row in running
        if row.execution.state in STANDING
        and row.execution.waiting_for.get("code") != BY_APPROVAL
        and row.execution.opens_at is None  # what is queued begins by itself
    ]
    if not standing:
        return []
    theirs = dict(_theirs(user.pk, tuple(row.execution.pk for row in standing)))
    return [
        row
        for row in standing
        if theirs.get(row.execution.pk)
        or (
            row.execution.pk in theirs
            and can(user, Action.OVERRIDE, plain_matter(row.execution)).allowed
        )
    ]


@Fixed
def _theirs(user: int, executions: tuple[UUID, ...]) -> QuerySet[Execution, tuple[UUID, bool]]:
    """Of these what this person runs, or nobody may go on with who runs it: whether somebody may."""
    runs = Q(part=Participant.Part.OPERATOR, left_at=None)
    found = Execution.objects.filter(pk__in=executions).annotate(theirs=_able(Level.EXECUTE, runs))
    return found.filter(_run_by(user) | Q(theirs=False)).values_list("pk", "theirs")


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
    """What this person has to close, with the number of items left; the oldest first.

    That is what they ran. Where whoever ran it may not close it any more, it falls to those with Execute who
    took part, and where nobody has, to those who lead. What the portal itself is still watching is no item
    for people yet.
    """
    may: dict[Matter, bool] = {}
    mine: list[Execution] = [
        row for row in unclosed(user.pk, sight(user)) if _falls_to(user, row, may)
    ]
    return mine[:SHOWN]


@Fixed
def unclosed(user: int, sight: Sight) -> QuerySet[Any]:
    """What this person runs, or nobody may close who runs it; the oldest first."""
    left = ChecklistMark.objects.filter(
        execution=OuterRef("pk"), moment=ChecklistMark.Moment.AFTER, confirmed_at=None
    )
    watched = Q(position=MONITORING, execution__closing__watched_until__isnull=False)
    for_people = left.exclude(watched & Q(execution__closing__health=""))
    operator = Q(part=Participant.Part.OPERATOR, left_at=None)
    found = visible(sight).filter(
        closing__closed_at=None, closing__ended_at=F("finished_at"), closing__isnull=False
    )
    found = found.annotate(
        theirs=_able(Level.ASSIST, operator),
        others=_able(Level.EXECUTE, ~operator),
        took_part=Exists(Participant.objects.filter(user=user, execution=OuterRef("pk"))),
    )
    found = found.filter(_run_by(user) | Q(theirs=False))
    counted = for_people.order_by().values("execution").annotate(n=Count("pk")).values("n")
    found = found.filter(Exists(for_people)).annotate(left=Subquery(counted))
    found = found.annotate(as_emergency=KeyTransform("emergency", "plan"))
    return found.select_related("closing").order_by("id")[:LOOKED_AT]


def _able(level: Level, part: Q) -> Exists:
    """Whether somebody of this part still has this level there: a part of a query."""
    grants = RoleGrant.objects.in_force().filter(
        Q(environment=None) | Q(environment=OuterRef(OuterRef("environment"))),
        user=OuterRef("user"),
        user__is_active=True,
        role__cells__category=OuterRef(OuterRef("runbook__category")),
        role__cells__level__gte=level,
    )
    return Exists(Participant.objects.filter(part, Exists(grants), execution=OuterRef("pk")))


def _falls_to(user: User, execution: Any, may: dict[Matter, bool]) -> bool:
    """Whether it is this person's to close; `may` keeps what the policy said before."""
    about = plain_matter(execution)
    if about not in may:
        may[about] = can(user, Action.CLOSE, about).allowed
    if execution.theirs or not may[about]:
        return may[about]
    if execution.others and not execution.took_part:
        return False
    needed = Action.CONTROL if execution.took_part and execution.others else Action.OVERRIDE
    return can(user, needed, about).allowed
