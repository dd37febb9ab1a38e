"""What somebody has really done so far, and what of it leads to the next rung of the ladder."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from cvdops.access.catalog import visible_runbooks
from cvdops.access.certification import Stage
from cvdops.access.levels import Level
from cvdops.access.models import Certification
from cvdops.access.policy import levels, standing_of
from cvdops.accounts.models import User
from cvdops.executions.models import Execution, Participant
from cvdops.executions.participants import Part
from cvdops.executions.queries import visible_to
from cvdops.executions.states import ExecutionState
from cvdops.spec.metadata import critical

LOOKED_AT = 300  # executions, the newest ones
WEEK, MONTH = 7, 28  # days
_ENDED = (ExecutionState.SUCCEEDED, ExecutionState.FAILED, ExecutionState.ROLLED_BACK)


@dataclass(frozen=True, slots=True)
class Done:
    """An execution in which they took part."""

    pk: UUID
    number: int
    runbook: str
    title: str
    protected: bool
    critical: bool
    supervised: bool


@dataclass(frozen=True, slots=True)
class Requirement:
    """Something that leads to the next rung: how much of it there is, and where it is seen."""

    text: str
    have: int
    need: int
    seen_in: tuple[Done, ...] = ()

    @property
    def met(self) -> bool:
        return self.have >= self.need

    def __str__(self) -> str:
        numbers = ", ".join(f"#{done.number}" for done in self.seen_in)
        return f"{self.text}: {self.have} of {self.need}{f' ({numbers})' if numbers else ''}"


@dataclass(frozen=True, slots=True)
class Record:
    """All that counts, as the person who asks may see it."""

    days: int  # on the present rung
    run: tuple[Done, ...] = ()  # by themselves, to a successful end
    watched: tuple[Done, ...] = ()  # run by somebody else
    runbooks: frozenset[str] = frozenset()  # those that their roles let them execute


def toward(stage: Stage, record: Record) -> tuple[Requirement, ...]:
    """What leads from this rung to the next one. Pure."""
    return tuple(_requirements(stage, record))


def _requirements(stage: Stage, record: Record) -> Iterator[Requirement]:
    def seen(text: str, found: Sequence[Done]) -> Requirement:
        return Requirement(text, len(found), 1, tuple(found))

    days = MONTH if stage is Stage.PRODUCTION else WEEK
    if stage is not Stage.CERTIFIED:
        yield Requirement("Days on this rung", min(record.days, days), days)
    if stage is Stage.SHADOW:
        yield seen("Watched an execution of somebody experienced", record.watched)
    elif stage is Stage.SUPERVISED:
        found = [d for d in record.run if d.supervised and not d.critical and not d.protected]
        yield seen("Executed a runbook that is not critical under supervision", found)
    elif stage is Stage.STAGING:
        found = [d for d in record.run if not d.supervised and not d.protected]
        newest = {done.runbook: done for done in reversed(found) if done.runbook in record.runbooks}
        text = "Executed each runbook outside production on their own"
        yield Requirement(text, len(newest), max(1, len(record.runbooks)), tuple(newest.values()))
    elif stage is Stage.PRODUCTION:
        found = [d for d in record.run if d.supervised and d.protected]
        yield seen("Executed a runbook in production under supervision", found)
    else:
        yield seen("Executed a runbook for emergencies", [d for d in record.run if d.critical])
        yield seen("Executed a runbook in production", [d for d in record.run if d.protected])


def record_of(user: User, viewer: User) -> Record:
    """What this person has done since they were put on their rung, as far as the viewer may see it."""
    newest = Certification.objects.newest().filter(user=user).first()
    since = newest.granted_at if newest else user.created_at
    mine = Participant.objects.filter(execution=OuterRef("pk"), user=user)
    run = Exists(mine.filter(part=Part.OPERATOR, left_at__isnull=True))
    beside = Exists(mine.filter(part__in=(Part.OBSERVER, Part.ASSISTANT)))
    seen = _ended(viewer, since)
    return Record(
        days=(timezone.now() - since).days,
        run=_done(seen.filter(run, state=ExecutionState.SUCCEEDED)),
        watched=_done(seen.filter(beside).exclude(requested_by__person=user.person)),
        runbooks=_executable(user, viewer),
    )


def _ended(viewer: User, since: datetime) -> QuerySet[Execution]:
    supervisors = Participant.objects.filter(execution=OuterRef("pk"), part=Part.SUPERVISOR)
    ended = visible_to(viewer).filter(state__in=_ENDED, finished_at__gte=since, parent=None)
    return ended.annotate(supervised=Exists(supervisors)).order_by("-id")


def _done(found: QuerySet[Execution]) -> tuple[Done, ...]:
    return tuple(
        Done(
            execution.pk,
            execution.number,
            execution.runbook_id,
            execution.runbook.title,
            protected=execution.environment.protected,
            critical=critical(execution.version.metadata),
            supervised=getattr(execution, "supervised", False),
        )
        for execution in found[:LOOKED_AT]
    )


def _executable(user: User, viewer: User) -> frozenset[str]:
    """The runbooks that both see, and this person's roles let them execute."""
    mine = levels(user)
    able = [category for category, level in mine.items() if level >= Level.EXECUTE]
    found = visible_runbooks(viewer).filter(category__in=able, current__isnull=False)
    return frozenset(found.filter(removed_at__isnull=True).values_list("pk", flat=True))


def stage_of(user: User) -> Stage:
    """The rung that counts now."""
    return standing_of(user).certificate.stage
