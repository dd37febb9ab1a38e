"""What an execution waits for, since when and until when, as everybody reads it."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cvdops.executions import children, locks, queues, restoring, stops
from cvdops.executions.leases import UNCONFIRMED
from cvdops.executions.models import Execution, Lock
from cvdops.executions.states import ExecutionState
from cvdops.lib.together import Wanted

_STANDING = (
    ExecutionState.PENDING,
    ExecutionState.WAITING,
    ExecutionState.PAUSED,
    ExecutionState.QUEUED,
)


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
    held = Lock.objects.filter(environment=execution.environment_id)
    held = held.select_related("execution__runbook")
    holders = {lock.name: lock.execution for lock in held}
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
    if any(e.state == ExecutionState.QUEUED for e in executions):
        yield queues.served.of()


def briefs(found: Sequence[Execution]) -> dict[UUID, Brief]:
    """Those of the executions of a list."""
    unseen = _unseen(found)
    asked = dict(stops.unseen(unseen)) if unseen else {}
    queued = {e.environment.queue for e in found if e.state == ExecutionState.QUEUED}
    unserved = queues.unserved(queued)
    return {
        e.pk: Brief(
            _sentence(e, unserved) if e.state in _STANDING else "",
            asked.get(e.pk, e.state_since),
        )
        for e in found
    }


def _unseen(executions: Iterable[Execution]) -> tuple[UUID, ...]:
    """Those with a stop that nobody has seen."""
    return tuple(e.pk for e in executions if e.waiting_for.get("code") == UNCONFIRMED)


def _sentence(execution: Execution, unserved: set[str]) -> str:
    if execution.state == ExecutionState.QUEUED:
        queue = execution.environment.queue
        return f"No worker serves {queue}" if queue in unserved else ""
    if execution.state == ExecutionState.PAUSED:
        return "Until somebody resumes it"
    return str(execution.waiting_for.get("text", "")).removesuffix(".")
