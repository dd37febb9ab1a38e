"""How long steps worked, without the time at which they waited for people.

A step that starts another execution works while that one does: what people take at its gates and by hand,
and any pause of it, is not counted. Of a step on several hosts it is the time at which one of them was at work.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from cvdops.executions.models import StepRun
from cvdops.lib.together import Read, Rows
from cvdops.spec.document import Kind

# Common table expressions of a `WITH RECURSIVE`: from `top` (id, phase, key), executions with the steps that
# are asked about, to `worked` (id, phase, key, seconds, going, once). Of a child the last try alone is looked
# at: by one look into an index for each step that starts others, however many executions there are.
WORKED = """
    below AS (
      SELECT t.id, t.phase, t.key, s.id AS step, s.kind, s.state, s.started_at,
             CASE WHEN s.state = 'running' THEN statement_timestamp() ELSE s.finished_at END AS until,
             s.attempt_count <= 1 AND s.state IN ('succeeded', 'skipped') AS once
        FROM top t JOIN executions_steprun s
               ON s.execution_id = t.id AND s.phase = t.phase AND s.key = t.key
       WHERE s.kind NOT IN ('approval', 'manual', 'checklist')
       UNION ALL
      SELECT b.id, b.phase, b.key, s.id, s.kind, s.state, s.started_at,
             CASE WHEN s.state = 'running' THEN statement_timestamp() ELSE s.finished_at END, b.once
        FROM below b CROSS JOIN LATERAL (
               SELECT e.id FROM executions_execution e
                WHERE e.parent_id = b.step ORDER BY e.parent_attempt DESC LIMIT 1
             ) c JOIN executions_steprun s ON s.execution_id = c.id
       WHERE b.kind = 'runbook' AND s.kind NOT IN ('approval', 'manual', 'checklist')
    ), piece AS (
      SELECT *, until - greatest(started_at, max(until) FILTER (WHERE kind <> 'runbook') OVER (
               PARTITION BY id, phase, key ORDER BY started_at, step
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS took
        FROM below
    ), worked AS (
      SELECT id, phase, key, bool_and(once) AS once,
             bool_or(state = 'running' AND kind <> 'runbook') AS going,
             coalesce(sum(greatest(extract(epoch FROM took), 0)) FILTER (
               WHERE kind <> 'runbook' AND started_at IS NOT NULL), 0)::float AS seconds
        FROM piece GROUP BY id, phase, key
    )
"""


@dataclass(frozen=True, slots=True)
class Within:
    """What the executions that a step started have worked, in seconds, and whether they are at work now."""

    seconds: float
    going: bool


_NOT_BEGUN = Within(0.0, going=False)


def within(steps: Iterable[StepRun]) -> Mapping[UUID, Within]:
    """Of those of them that have started executions. One query, if there is such a step."""
    started = [s for s in steps if s.kind == Kind.RUNBOOK and s.started_at]
    if not started:
        return {}
    rows = _worked(tuple({s.execution_id for s in started}))
    found = {(r["id"], r["phase"], r["key"]): Within(r["seconds"], r["going"]) for r in rows}
    return {s.pk: found.get((str(s.execution_id), s.phase, s.key), _NOT_BEGUN) for s in started}


@Read
def _worked(executions: tuple[UUID, ...]) -> Rows:
    return Rows(_WITHIN, {"ids": list(executions)})


_WITHIN = f"""
    WITH RECURSIVE top AS (
      SELECT DISTINCT execution_id AS id, phase, key FROM executions_steprun
       WHERE execution_id = ANY(%(ids)s) AND kind = 'runbook'
    ), {WORKED}
    SELECT id, phase, key, seconds, going FROM worked
"""  # noqa: S608 — of two constants
