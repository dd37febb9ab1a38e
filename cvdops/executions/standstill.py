"""What stands still because no worker comes: which executions, and how everybody reads it.

Each execution was read with the database's time of the look, `now`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from cvdops.executions import queues
from cvdops.executions.leases import UNCONFIRMED
from cvdops.executions.models import Execution
from cvdops.executions.queues import Gap
from cvdops.executions.states import HELD, UNHEARD, ExecutionState, Look

UNSERVED = "worker"  # of what it waits for: its queue has no worker
SILENT = "silent"  # its own worker does not answer; another one of the queue will come

SILENCE = (
    "Its worker does not answer. The step goes on where it runs; another worker takes over within "
    "seconds."
)


def unheard(execution: Execution) -> bool:
    """A worker should hold it, and its lease has run out: nobody knows how it stands."""
    until = execution.lease_until
    return execution.state in HELD and (until is None or until < _now(execution))


def look(execution: Execution) -> Look:
    """How it stands, as far as anybody knows: a worker that is not heard of runs nothing."""
    return UNHEARD if unheard(execution) else execution.look


def needs_worker(execution: Execution) -> bool:
    """Whether it stands still until some worker looks at it."""
    if execution.state in HELD:
        return unheard(execution)
    due = execution.due_at is not None and execution.due_at <= _now(execution)
    asked = execution.ending and execution.waiting_for.get("code") != UNCONFIRMED
    waiting = execution.state == ExecutionState.WAITING
    return execution.state == ExecutionState.QUEUED or (waiting and (due or asked))


def waits(found: Sequence[Execution]) -> dict[UUID, tuple[str, str]]:
    """Code and sentence for those of them that stand still."""
    still = [one for one in found if needs_worker(one)]
    gaps = queues.gaps({one.environment.queue for one in still})
    told = {}
    for one in still:
        if gap := gaps.get(one.environment.queue):
            told[one.pk] = UNSERVED, sentence(gap, goes_on=not one.intent)
        elif one.state in HELD:
            told[one.pk] = SILENT, SILENCE
    return told


def sentence(gap: Gap, *, goes_on: bool = False) -> str:
    """As pages say it. `goes_on`: nothing else was asked of what waits."""
    text = (
        f"No worker serves {gap.queue} {since(gap)}. Whoever operates the portal starts one, and asks "
        "manage.py doctor why there is none."
    )
    return f"{text} It goes on by itself when one does." if goes_on else text


def since(gap: Gap) -> str:
    """Since when there is none, as far as is remembered."""
    if gap.since is None:
        return "for a day or more"
    return f"since {gap.since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _now(execution: Execution) -> datetime:
    now: datetime = execution.now  # type: ignore[attr-defined] # an annotation of the query
    return now
