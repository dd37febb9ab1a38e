"""What the steps of an execution took in earlier ones: of the same procedure, in the same environment.

A step counts as the same while it runs the same script: a version that changed it begins anew.
"""

from collections.abc import Collection, Mapping
from uuid import UUID

from django.db import connection

from cvdops.executions.pace import Run

LOOKED_AT = 500  # executions of the runbook, the newest ones
NEWEST = 50  # of them, those that tell

_PAST = """
    WITH asked AS (
      SELECT id, runbook_id, environment_id, procedure, plan->'forward' AS steps
        FROM executions_execution WHERE id = ANY(%(ids)s)
    ), own AS MATERIALIZED (
      SELECT a.id AS asked, d->>'id' AS key, d->>'kind' AS kind, d->>'body' AS body
        FROM asked a, jsonb_array_elements(a.steps) d
       WHERE d->>'kind' NOT IN ('approval', 'manual', 'checklist')
    ), earlier AS (
      SELECT a.id AS asked, p.id
        FROM asked a CROSS JOIN LATERAL (
          SELECT n.id FROM (
            SELECT e.id, e.environment_id, e.procedure, e.state FROM executions_execution e
             WHERE e.runbook_id = a.runbook_id AND e.id < a.id ORDER BY e.id DESC LIMIT %(looked)s
          ) n
           WHERE n.environment_id = a.environment_id AND n.procedure = a.procedure
             AND n.state = 'succeeded'
           ORDER BY n.id DESC LIMIT %(newest)s
        ) p
    ), same AS (
      SELECT f.asked, f.id, own.key
        FROM earlier f JOIN executions_execution p ON p.id = f.id
             CROSS JOIN LATERAL jsonb_array_elements(p.plan->'forward') d
             JOIN own ON own.asked = f.asked AND own.key = d->>'id'
                     AND own.kind = d->>'kind' AND own.body = d->>'body'
    )
    SELECT same.asked, same.id, same.key,
           coalesce(extract(epoch FROM max(s.finished_at) - min(s.started_at)), 0)::float
      FROM same JOIN executions_steprun s
             ON s.execution_id = same.id AND s.key = same.key AND s.phase = 'forward'
     GROUP BY same.asked, same.id, same.key
    HAVING bool_and(s.attempt_count <= 1 AND s.state IN ('succeeded', 'skipped'))
"""


def past(executions: Collection[UUID]) -> Mapping[UUID, tuple[Run, ...]]:
    """By execution, the successful ones before it; a step that was left out took no time.

    What was tried several times tells nothing: it waited for somebody in between. One query, if any.
    """
    found: dict[UUID, dict[UUID, dict[str, float]]] = {pk: {} for pk in executions}
    if found:
        with connection.cursor() as cursor:
            cursor.execute(_PAST, {"ids": list(found), "looked": LOOKED_AT, "newest": NEWEST})
            for execution, earlier, step, seconds in cursor.fetchall():
                found[execution].setdefault(earlier, {})[step] = seconds
    return {pk: tuple(runs.values()) for pk, runs in found.items()}
