"""How an environment stands now or at a time, by the database's clock: its windows, freezes and holds."""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.db import connection
from django.db.models import QuerySet

from cvdops.environments.periods import Hold, Period
from cvdops.environments.schedule import Calendar, Held, State, Work, state
from cvdops.environments.schedule import obstacles as _obstacles
from cvdops.lib.errors import Reason
from cvdops.lib.once import once
from cvdops.lib.together import Fixed


def now() -> datetime:
    """The time of the database, by which all rules go."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment.astimezone(UTC)


@once
def calendar(environment: str) -> Calendar:
    """The windows and freezes of an environment."""
    return calendar_of(periods(environment))


@Fixed
def periods(environment: str) -> QuerySet[Period]:
    """The same as they are stored, in their order."""
    return Period.objects.filter(environment=environment)


def calendar_of(found: Iterable[Period]) -> Calendar:
    """These windows and freezes."""
    periods = list(found)
    return Calendar(
        windows=tuple(p.recurrence for p in periods if p.kind == Period.Kind.WINDOW),
        freezes=tuple(p.recurrence for p in periods if p.kind == Period.Kind.FREEZE),
    )


def standing(environment: str, at: datetime | None = None) -> State:
    """Whether the environment may be changed now or at a time."""
    found = calendar(environment)
    return state(found, at or now()) if found != Calendar() else State(bound=False, open=True)


@Fixed
def holds(environment: str, runbook: str, at: datetime | None) -> QuerySet[Hold]:
    """Those that refuse a start of this runbook there, now or at a time."""
    return Hold.objects.in_force(at).against(environment, runbook).select_related("owner")


def obstacles(
    environment: str, runbook: str, work: Work, at: datetime | None = None
) -> tuple[Reason, ...]:
    """What stands in the way of starting this runbook there, now or at a time."""
    in_force = holds(environment, runbook, at)
    held = [Held(hold.what, hold.reason, hold.owner.name, hold.until) for hold in in_force]
    open_ = State(bound=False, open=True)
    return _obstacles(environment, standing(environment, at) if work.bound else open_, held, work)
