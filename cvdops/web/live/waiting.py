"""What an execution waits for, since when and until when, as everybody reads it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cvdops.executions import children, locks, queues, restoring, stops
from cvdops.executions.leases import UNCONFIRMED
from cvdops.executions.models import Execution
from cvdops.executions.queues import Gap
from cvdops.executions.standstill import needs_worker
from cvdops.executions.states import ExecutionState
from cvdops.lib.together import Wanted


@dataclass(frozen=True, slots=True)
class Named:
    """A lock that it waits for: who holds it, and who is in line for it, the first one first.

    The page is the same for everybody who sees it. An execution that some of them may not see is None.
    """

    name: str
    held: bool
    holder: Execution | None
    line: tuple[Execution | None, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    text: str
    tone: str
    since: datetime
    due_at: datetime | None  # when it goes on, or is tried again, by itself
    locks: tuple[Named, ...] = ()
    child: Execution | None = None


def read(execution: Execution, seen: Collection[str]) -> Wait | None:
    """None if it waits for nothing. `seen`: the categories that exist for everybody who sees this one."""
    code = execution.waiting_for.get("code", "")
    held = execution.state == ExecutionState.PAUSED and code == restoring.CODE
    waits = execution.state in (ExecutionState.WAITING, ExecutionState.PENDING)
    if not held and not (waits and code):
        return None
    return Wait(
        text=str(execution.waiting_for.get("text", "")),
        tone="bad" if code == UNCONFIRMED else "wait",
        since=_since(execution, code),
        due_at=execution.due_at,
        locks=tuple(_locks(execution, seen)) if code == locks.CODE else (),
        child=known(children.active(execution), seen) if execution.waits_for_child else None,
    )


def _since(execution: Execution, code: str) -> datetime:
    asked = stops.since(execution.pk) if code == UNCONFIRMED else None
    return asked or execution.state_since


def known(execution: Execution | None, seen: Collection[str]) -> Execution | None:
    """The execution, if its runbook exists for everybody who reads of it."""
    return execution if execution and execution.runbook.category in seen else None


def _locks(execution: Execution, seen: Collection[str]) -> Iterable[Named]:
    holders = {name: lock.execution for name, lock in locks.holders(execution).items()}
    for name in execution.waiting_for.get("locks", ()):
        line = locks.queue(execution.environment_id, name)
        yield Named(
            name,
            name in holders,
            known(holders.get(name), seen),
            tuple(known(other, seen) for other in line),
        )


@dataclass(frozen=True, slots=True)
class Brief:
    """What an execution of a list waits for, as a few words, and since when; empty for one that goes on."""

    text: str
    since: datetime


def reads(executions: Sequence[Execution]) -> Iterator[Wanted]:
    """What `briefs` reads of them, for lists that read more together with it."""
    if unseen := _unseen(executions):
        yield stops.unseen.of(unseen)
    yield from map(queues.workers.of, sorted(_asked(executions)))


def briefs(found: Sequence[Execution]) -> dict[UUID, Brief]:
    """Those of the executions of a list, each read with the database's time of the look, `now`."""
    unseen = _unseen(found)
    asked = dict(stops.unseen(unseen)) if unseen else {}
    gaps = queues.gaps(_asked(found))
    return {e.pk: _unserved(e, gaps) or _brief(e, asked.get(e.pk, e.state_since)) for e in found}


def _unseen(executions: Iterable[Execution]) -> tuple[UUID, ...]:
    """Those with a stop that nobody has seen."""
    return tuple(e.pk for e in executions if e.waiting_for.get("code") == UNCONFIRMED)


def _asked(executions: Iterable[Execution]) -> set[str]:
    """The queues from which a worker has to come."""
    return {e.environment.queue for e in executions if needs_worker(e)}


def _unserved(execution: Execution, gaps: Mapping[str, Gap]) -> Brief | None:
    """None if it needs no worker, or one will come: as its own page says it."""
    gap = gaps.get(execution.environment.queue) if needs_worker(execution) else None
    if gap is None:
        return None
    times = (execution.state_since, execution.lease_until, gap.since)
    return Brief(f"No worker serves {gap.queue}", max(at for at in times if at))


def _brief(execution: Execution, since: datetime) -> Brief:
    if execution.state == ExecutionState.PAUSED:
        return Brief("Until somebody resumes it", since)
    waits = execution.state in (ExecutionState.PENDING, ExecutionState.WAITING)
    text = str(execution.waiting_for.get("text", "")) if waits else ""
    return Brief(text.removesuffix("."), since)
