"""Who takes part in an execution, and what that means for the others."""

from dataclasses import replace
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Now

from cvdops.access.levels import Level
from cvdops.access.models import RoleGrant
from cvdops.access.policy import Action, Matter, can
from cvdops.accounts.models import User
from cvdops.executions.models import Execution, Participant, StepRun
from cvdops.lib.together import Fixed

Part = Participant.Part
ASKED = 20  # people
# What one has to be allowed to take part as that.
JOIN_NEEDS = {
    Part.SUPERVISOR: Action.SUPERVISE,
    Part.ASSISTANT: Action.JOIN,
    Part.OBSERVER: Action.READ_EXECUTION,
}


@Fixed
def here(execution_id: UUID) -> QuerySet[Participant]:
    """Those who take part now, in the order in which they came."""
    found = Participant.objects.filter(execution=execution_id, left_at__isnull=True)
    return found.select_related("user")


def operator(execution_id: UUID) -> Participant:
    """Whoever runs it now."""
    return next(p for p in here(execution_id) if p.part == Part.OPERATOR)


def with_people(matter: Matter, present: list[Participant]) -> Matter:
    """The matter of an execution with these participants. Their rights are asked for anew."""
    supervised = any(
        p.part == Part.SUPERVISOR and can(p.user, Action.SUPERVISE, matter).allowed for p in present
    )
    matter = replace(matter, supervised=supervised)
    active = [p for p in present if p.part != Part.OBSERVER]
    return replace(matter, present=any(can(p.user, Action.CONTROL, matter).allowed for p in active))


def begin(execution_id: UUID, user: User, parent: StepRun | None) -> None:
    """Whoever asked for it runs it; in what a step has started, all who take part there."""
    if parent is None:
        Participant.objects.create(execution_id=execution_id, user=user, part=Part.OPERATOR)
        return
    Participant.objects.bulk_create(
        Participant(execution_id=execution_id, user=p.user, part=p.part)
        for p in here(parent.execution_id)
    )


def enter(execution_id: UUID, user: User, part: Part) -> None:
    """Let somebody take part from now on as this, and no longer as something else."""
    leave(execution_id, user)
    Participant.objects.create(execution_id=execution_id, user=user, part=part)


def leave(execution_id: UUID, user: User) -> bool:
    """Whether they took part until now."""
    mine = Participant.objects.filter(execution=execution_id, user=user, left_at__isnull=True)
    return bool(mine.update(left_at=Now()))


def supervisors(execution: Execution, about: Matter) -> list[User]:
    """Whom one may ask to supervise it, a few of them: certified, another person, with the right."""
    runs = operator(execution.pk).user
    others = [user for user in successors(execution) if user.person != runs.person]
    return [user for user in others if can(user, Action.SUPERVISE, about).allowed][:ASKED]


def successors(execution: Execution) -> list[User]:
    """Whom it could be handed over to: who may execute it by their roles, and does not run it."""
    return _able(execution.pk, execution.runbook.category, execution.environment_id)


@Fixed
def _able(execution: UUID, category: str, environment: str) -> QuerySet[User]:
    grants = RoleGrant.objects.in_force().for_environment(environment)
    able = grants.filter(role__cells__category=category, role__cells__level__gte=Level.EXECUTE)
    found = User.objects.filter(is_active=True, pk__in=able.values("user"))
    running = Participant.objects.filter(execution=execution, part=Part.OPERATOR, left_at=None)
    return found.exclude(pk__in=running.values("user")).order_by("name")
