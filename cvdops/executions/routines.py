"""What the team does again and again: reviews, exercises, tests. When each is due, and who did it.

The schedule is that of the mission. A test is not confirmed by anybody: an execution that succeeded proves it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject, Now

from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.catalog.models import Runbook
from cvdops.environments import calendar
from cvdops.environments.models import Contact
from cvdops.executions.models import Execution, RoutineDone
from cvdops.executions.states import ExecutionState
from cvdops.lib.errors import Conflict, Invalid, NotFound, Problem
from cvdops.lib.ids import first_within
from cvdops.lib.together import Fixed, Wanted
from cvdops.spec.document import Category

MAX_NOTE = 2000  # characters
SHOWN = 50  # of the history
CONTACTS = "contacts"
_FROM_HERE = "Its next time is counted from here: what was done before is not known."


@dataclass(frozen=True, slots=True)
class Proof:
    """The executions that are such a test: of a category, in an environment or in any, of some procedures."""

    category: Category
    environment: str = ""
    procedures: str = ""  # a regular expression


@dataclass(frozen=True, slots=True)
class Routine:
    """Something that is due again and again. `page`: the name of the address where it is looked at."""

    key: str
    title: str
    often: str  # in a word
    every: timedelta
    page: str
    proof: Proof | None = None


_MONTH, _QUARTER, _HALF, _YEAR = (timedelta(days=n) for n in (31, 92, 183, 365))
ROUTINES = (
    Routine(
        "incident-procedures",
        "Review the incident response procedures",
        "monthly",
        _MONTH,
        "runbooks",
    ),
    Routine("lessons", "Review the lessons learned from incidents", "monthly", _MONTH, "metrics"),
    Routine("runbooks", "Review all runbooks for accuracy", "quarterly", _QUARTER, "runbooks"),
    Routine(
        "exercise",
        "Hands-on practice with emergency procedures: a tabletop exercise",
        "quarterly",
        _QUARTER,
        "runbooks",
    ),
    Routine(CONTACTS, "Update contacts and access requirements", "twice a year", _HALF, "contacts"),
    Routine("overhaul", "Overhaul and test all runbooks", "once a year", _YEAR, "runbooks"),
    Routine(
        "readiness",
        "Full assessment of operational readiness",
        "once a year",
        _YEAR,
        "certification",
    ),
    Routine(
        "test-deployment",
        "Test the deployment runbooks in staging",
        "monthly",
        _MONTH,
        "runbooks",
        Proof(Category.DEPLOYMENT, environment="staging"),
    ),
    Routine(
        "test-restore",
        "Test a restore from a backup",
        "quarterly",
        _QUARTER,
        "runbooks",
        Proof(Category.BACKUP_RESTORE, procedures="restor|recover"),
    ),
)
_KNOWN: Mapping[str, Routine] = {routine.key: routine for routine in ROUTINES}


@dataclass(frozen=True, slots=True)
class Proved:
    """An execution by which a test was done."""

    pk: str
    number: int
    by: str
    finished_at: datetime
    where: tuple[str, str]  # category and environment: who may read it


@dataclass(frozen=True, slots=True)
class Standing:
    """How a routine stands. Neither `last` nor `proved`: it was never done, and is due."""

    routine: Routine
    last: RoutineDone | None
    proved: Proved | None
    now: datetime

    @property
    def due(self) -> datetime:
        done = [self.last.at] if self.last else []
        done += [self.proved.finished_at] if self.proved else []
        return max(done) + self.routine.every if done else self.now

    @property
    def overdue(self) -> bool:
        return self.due <= self.now


def standings() -> list[Standing]:
    """All of them, in their order."""
    found = newest()
    known = {done.routine: done for done in found}
    now = found[0].now if found else calendar.now()
    return [Standing(one, known.get(one.key), _proved(one), now) for one in ROUTINES]


def overdue() -> list[Standing]:
    """Those that should have been done, the one that waits for the longest time first."""
    return sorted((one for one in standings() if one.overdue), key=lambda one: one.due)


def history(key: str) -> list[RoutineDone]:
    """What was said of one of them, the newest first. Raises NotFound."""
    found = RoutineDone.objects.filter(routine=named(key).key).select_related("by")
    return list(found.order_by("-id")[:SHOWN])


def named(key: str) -> Routine:
    """Raises NotFound."""
    if key not in _KNOWN:
        raise NotFound("routine")
    return _KNOWN[key]


def confirm(user: User, key: str, note: str) -> RoutineDone:
    """Say that it was done, with what came of it. Raises NotFound, Refused, Invalid, Conflict."""
    routine = named(key)
    can(user, Action.CONFIRM_ROUTINE).enforce()
    if routine.proof:
        raise Conflict(
            f"“{routine.title}” is not confirmed by anybody: an execution that succeeds proves it."
        )
    if not note.strip() or len(note) > MAX_NOTE:
        text = f"Say what was looked at and what came of it, in {MAX_NOTE} characters at most."
        raise Invalid([Problem("note", text)])
    with transaction.atomic():
        done = RoutineDone.objects.create(routine=key, by=user, note=note.strip())
        if key == CONTACTS:
            Contact.objects.update(confirmed_at=Now(), confirmed_by=user)
        record(user, Action.CONFIRM_ROUTINE, "routine", key, data={"note": done.note})
    return done


def seed_routines() -> None:
    """Count from now what was never done here."""
    known = set(RoutineDone.objects.values_list("routine", flat=True).distinct())
    RoutineDone.objects.bulk_create(
        RoutineDone(routine=one.key, note=_FROM_HERE) for one in ROUTINES if one.key not in known
    )


def reads() -> Iterator[Wanted]:
    """What `standings` reads, for a page that reads more together with it."""
    yield newest.of()
    for routine in ROUTINES:
        if routine.proof:
            yield successes.of(routine.proof, _since(routine))


@Fixed
def newest() -> QuerySet[Any]:
    """The last one of each, with the time as its `now`."""
    found = RoutineDone.objects.select_related("by").order_by("routine", "-id")
    return found.distinct("routine").annotate(now=Now())


def _since(routine: Routine) -> UUID:
    """What the id of nothing is less than that was started within its interval, to the minute."""
    return first_within(routine.every.total_seconds())


@Fixed
def successes(proof: Proof, since: UUID) -> QuerySet[Runbook, dict[str, Any] | None]:
    """Of each runbook of the category the last success since: one look into an index for each."""
    found = Execution.objects.filter(
        runbook=OuterRef("pk"), state=ExecutionState.SUCCEEDED, pk__gte=since
    )
    if proof.environment:
        found = found.filter(environment=proof.environment)
    if proof.procedures:
        found = found.filter(procedure__iregex=proof.procedures)
    facts = JSONObject(
        pk="pk", number="number", by="requested_by__name", at="finished_at", where="environment_id"
    )
    runbooks = Runbook.objects.filter(category=proof.category)
    return runbooks.values_list(Subquery(found.order_by("-id").values_list(facts)[:1]), flat=True)


def _proved(routine: Routine) -> Proved | None:
    """The last execution that is this test; None: there was none within its interval."""
    if not routine.proof:
        return None
    found = [facts for facts in successes(routine.proof, _since(routine)) if facts]
    made = [
        Proved(
            pk=one["pk"],
            number=one["number"],
            by=one["by"],
            finished_at=datetime.fromisoformat(one["at"]),
            where=(routine.proof.category.value, one["where"]),
        )
        for one in found
    ]
    return max(made, key=lambda one: one.finished_at, default=None)
