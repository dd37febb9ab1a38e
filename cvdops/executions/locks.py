"""Named locks of an environment: taken by an execution, or by a step while it runs; the queue is visible.

A lock is a row. Its holder waits in no worker: `rescue` frees what is over and calls the first in line.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from cvdops.executions.gates import rest
from cvdops.executions.models import Execution, Lock, StepRun
from cvdops.executions.run import Run

CODE = "lock"  # of `waiting_for`


def take(run: Run, names: Sequence[str], step: StepRun | None = None) -> bool:
    """Take all of these locks, or none and let the execution wait for them. Inside a transaction.

    One that the execution, or one of those that it is a child of, holds already is no obstacle.
    """
    wanted = sorted(set(names))
    if _insert(run, wanted, step) == len(wanted):
        return True
    family = _family(run.execution)
    others = Lock.objects.filter(environment=run.execution.environment_id, name__in=wanted)
    obstacle = others.exclude(execution__in=family).first()
    if obstacle is None:
        return True
    Lock.objects.filter(execution=run.execution, step=step, name__in=wanted).delete()
    # Which one, the page says to those for whom it exists.
    text = f"Lock {obstacle.name}, held by another execution"
    rest(run, CODE, text, step.key if step else "", more={"locks": wanted})
    return False


def _insert(run: Run, names: Sequence[str], step: StepRun | None) -> int:
    """Insert those that are free, in one order for everybody. How many were."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO executions_lock (environment_id, name, execution_id, step_id)
            SELECT %s, name, %s, %s FROM unnest(%s::text[]) AS name ORDER BY name
            ON CONFLICT (environment_id, name) DO NOTHING
            """,
            [
                run.execution.environment_id,
                run.id,
                step.pk if step else None,
                list(names),
            ],
        )
        return int(cursor.rowcount)


def _family(execution: Execution) -> list[UUID]:
    """The execution and those that it is a child of."""
    found = [execution.pk]
    while execution.parent_id is not None:
        execution = (
            StepRun.objects.select_related("execution").get(pk=execution.parent_id).execution
        )
        found.append(execution.pk)
    return found


def release(step: StepRun) -> None:
    """Give back what this step holds, on whichever of its hosts."""
    Lock.objects.filter(execution=step.execution_id, step__key=step.key).delete()


def free() -> None:
    """Free what a worker had no time to give back: of executions that are over, of steps that rest
    or are over, on all of their hosts."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM executions_lock l
             USING executions_execution e
             WHERE e.id = l.execution_id
               AND (e.finished_at IS NOT NULL
                    OR (l.step_id IS NOT NULL AND e.state IN ('waiting', 'paused'))
                    OR (l.step_id IS NOT NULL AND NOT EXISTS (
                          SELECT FROM executions_steprun s
                           WHERE s.execution_id = l.execution_id
                             AND s.key = (SELECT key FROM executions_steprun WHERE id = l.step_id)
                             AND s.state IN ('pending', 'running'))))
            """
        )


def call_next() -> None:
    """Let those go on that wait for locks which are free now: first come, first served."""
    taken = set(Lock.objects.values_list("environment_id", "name"))
    waiting = Execution.objects.filter(state="waiting", waiting_for__code=CODE, due_at__isnull=True)
    for execution in waiting.order_by("state_since").select_related("parent"):
        family = _family(execution)
        mine = Lock.objects.filter(execution__in=family).values_list("environment_id", "name")
        names = {(execution.environment_id, name) for name in execution.waiting_for["locks"]}
        if names & (taken - set(mine)):
            taken |= names  # it comes before those behind it
            continue
        taken |= names
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE executions_execution SET due_at = clock_timestamp()
                 WHERE id = %s AND state = 'waiting' AND lease_until IS NULL
                """,
                [execution.pk],
            )


def holders(execution: Execution) -> dict[str, Lock]:
    """Who holds the locks that it waits for, by their names; what is free has no entry."""
    names = execution.waiting_for.get("locks", ())
    held = Lock.objects.filter(environment=execution.environment_id, name__in=names)
    shown = ("name", "since", "execution__number", "execution__environment")
    held = held.select_related("execution__runbook").only(*shown, "execution__runbook__category")
    return {lock.name: lock for lock in held}


def queue(environment: str, name: str) -> list[Execution]:
    """Those that wait for a lock, the first in line first."""
    waiting = Execution.objects.filter(
        environment=environment, state="waiting", waiting_for__code=CODE
    )
    found = waiting.filter(waiting_for__locks__contains=[name])
    return list(found.select_related("runbook").order_by("state_since"))
