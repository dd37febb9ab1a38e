"""What the steps of an execution took in earlier ones: of the same procedure, in the same environment.

A step counts as the same while it runs the same script: a version that changed it begins anew. What a version
runs is the same each time, so that one plan of it is looked at: to take one apart costs more than all else.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cvdops.executions.models import Execution, StepRun
from cvdops.executions.pace import GRACE, Left, Run, Slow, left, slow, usual
from cvdops.executions.plan import PEOPLE
from cvdops.executions.states import STEP_OVER, STEP_STUCK, ExecutionState, Phase, StepState
from cvdops.executions.worked import WORKED, Within
from cvdops.lib.together import Fixed, Rows
from cvdops.spec.document import Kind

NEWEST = 50  # executions that tell

_PAST = f"""
    WITH RECURSIVE asked AS (
      SELECT id, runbook_id, environment_id, procedure, plan->'forward' AS steps
        FROM executions_execution WHERE id = ANY(%(ids)s)
    ), own AS MATERIALIZED (
      SELECT a.id AS asked, d->>'id' AS key, ARRAY[d->>'id', d->>'kind', d->>'body'] AS step
        FROM asked a, jsonb_array_elements(a.steps) d
       WHERE d->>'kind' NOT IN ('approval', 'manual', 'checklist')
    ), earlier AS MATERIALIZED (
      SELECT a.id AS asked, p.id, p.version_id
        FROM asked a CROSS JOIN LATERAL (
          SELECT e.id, e.version_id FROM executions_execution e
           WHERE e.runbook_id = a.runbook_id AND e.environment_id = a.environment_id
             AND e.procedure = a.procedure AND e.state = 'succeeded' AND e.id < a.id
           ORDER BY e.id DESC LIMIT %(newest)s
        ) p
    ), version AS MATERIALIZED (
      SELECT f.asked, f.version_id, ARRAY[d->>'id', d->>'kind', d->>'body'] AS step
        FROM (SELECT DISTINCT ON (asked, version_id) * FROM earlier ORDER BY asked, version_id, id DESC) f
             JOIN executions_execution p ON p.id = f.id, jsonb_array_elements(p.plan->'forward') d
    ), kept AS MATERIALIZED (
      SELECT asked, version_id, array_agg(key) AS keys FROM own JOIN version USING (asked, step)
       GROUP BY asked, version_id
    ), same AS MATERIALIZED (
      SELECT k.*, ARRAY(SELECT DISTINCT key FROM own WHERE key <> ALL(k.keys)) AS others FROM kept k
    ), top AS (
      SELECT DISTINCT f.id, 'forward' AS phase, key
        FROM same JOIN earlier f USING (asked, version_id), unnest(keys) AS key
    ), {WORKED}, took AS MATERIALIZED (
      SELECT id, jsonb_object_agg(key, seconds) AS run FROM worked WHERE once GROUP BY id
    )
    SELECT f.asked, took.run - same.others AS run
      FROM same JOIN earlier f USING (asked, version_id) JOIN took USING (id)
"""  # noqa: S608 — of two constants


@Fixed
def runs(executions: tuple[UUID, ...]) -> Rows:
    """Each successful execution before one of these: which one that is, and the seconds of its steps."""
    values = {"ids": list(executions), "newest": NEWEST}
    return Rows(_PAST, values)


def past(executions: Collection[UUID]) -> Mapping[UUID, tuple[Run, ...]]:
    """By execution, the successful ones before it; a step that was left out took no time.

    What was tried several times tells nothing: it waited for somebody in between. One query, if any.
    """
    found: dict[UUID, list[Run]] = {pk: [] for pk in executions}
    rows: list[dict[str, Any]] = runs(tuple(found)) if found else []
    for row in rows:
        found[UUID(row["asked"])].append(row["run"])
    return {pk: tuple(before) for pk, before in found.items()}


@dataclass(frozen=True, slots=True)
class Lasting:
    """A running step: from when on it takes longer than usual, and whether it does already."""

    title: str
    since: datetime  # when 95 % of its past runs were done
    slow: Slow | None


@dataclass(frozen=True, slots=True)
class Ahead:
    """How long the rest may take, without what people take. `left` is None where nobody knows."""

    going: bool  # how much time is left is of interest: of what waits only if it is known
    left: Left | None
    lasting: tuple[Lasting, ...]
    now: datetime
    moving: bool = True  # something is at work, so that less is left with every second

    @property
    def slow(self) -> tuple[Lasting, ...]:
        """The running steps that take longer than 95 % of their past runs did."""
        return tuple(step for step in self.lasting if step.slow)

    @property
    def between(self) -> tuple[datetime, datetime] | None:
        """When it would be done, if nobody has to be waited for."""
        if self.left is None:
            return None
        return tuple(self.now + timedelta(seconds=s) for s in (self.left.low, self.left.high))  # type: ignore[return-value]


def ahead(
    execution: Execution,
    steps: Sequence[StepRun],
    runs: Sequence[Run],
    now: datetime,
    within: Mapping[UUID, Within],
) -> Ahead:
    """How it stands at this time, by these past runs. Of a rollback nothing is told.

    `within`: what the executions that its steps started have worked. The few milliseconds between two steps
    are not counted.
    """
    forward = [s for s in steps if s.phase == Phase.FORWARD and s.kind not in PEOPLE]
    begun = {s.key: s for s in forward if _runs(s)}
    at_work = {key for key, s in begun.items() if s.pk not in within or within[s.pk].going}
    spent = {key: _spent(s, now, within) for key, s in begun.items()}
    rest = [s for s in forward if s.state not in STEP_OVER and s.key not in begun]
    stuck = any(s.state in STEP_STUCK for s in forward)
    going = execution.phase == Phase.FORWARD and not execution.is_over and bool(begun or rest)
    told = left(runs, {s.key for s in rest}, spent) if going and not stuck else None
    return Ahead(
        going=going and (told is not None or execution.state == ExecutionState.RUNNING),
        left=told,
        lasting=tuple(_lasting(begun.values(), runs, spent, at_work, now)) if going else (),
        now=now,
        moving=bool(at_work),
    )


def lasted(step: StepRun, runs: Sequence[Run], within: Mapping[UUID, Within]) -> Slow | None:
    """Whether a step that has ended took longer than 95 % of its past runs did; None if not, or if unknown."""
    own = step.phase == Phase.FORWARD and step.kind not in PEOPLE and step.attempt_count == 1
    if not own or step.started_at is None or step.finished_at is None:
        return None
    return slow(runs, step.key, _spent(step, step.finished_at, within))


def _runs(step: StepRun) -> bool:
    """Whether its time goes by: a step that starts another execution waits for that one."""
    waits_for_child = step.kind == Kind.RUNBOOK and step.state == StepState.WAITING
    return step.started_at is not None and (step.state == StepState.RUNNING or waits_for_child)


def _spent(step: StepRun, until: datetime, within: Mapping[UUID, Within]) -> float:
    """The seconds that it has worked until then."""
    if step.pk in within:
        return within[step.pk].seconds
    return (until - step.started_at).total_seconds() if step.started_at else 0.0


def _lasting(
    steps: Iterable[StepRun],
    runs: Sequence[Run],
    spent: Mapping[str, float],
    at_work: Collection[str],
    now: datetime,
) -> Iterable[Lasting]:
    for step in steps:
        longest = usual(runs, step.key)
        took_long = slow(runs, step.key, spent[step.key])
        if longest is not None and (took_long or step.key in at_work):
            since = now + timedelta(seconds=longest + GRACE - spent[step.key])
            yield Lasting(step.title, since, took_long)
