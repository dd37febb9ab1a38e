"""How long a start would take, and its rollback: from what it took before, else from what the document says."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from cvdops.executions.plan import Plan
from cvdops.executions.states import ExecutionState, Phase

FEWEST = 3  # past executions that tell more than the document
NEWEST = 50
_SAID = re.compile(
    r"(?:\d+\s*(?:-|–|to)\s*)?(\d+(?:\.\d+)?)\s*(s\b|sec|min|h\b|hour|day)", re.IGNORECASE
)
_SECONDS = {"s": 1, "sec": 1, "min": 60, "h": 3600, "hour": 3600, "day": 86400}


@dataclass(frozen=True, slots=True)
class Estimate:
    """Both None: nobody knows."""

    forward: timedelta | None
    undo: timedelta | None  # zero if there is nothing to roll back
    past: int  # executions that `forward` comes from; 0: from the document

    def late(self, start: datetime, closes: datetime) -> bool:
        """Whether it would not be done, with time left to roll it back, before the window closes."""
        if self.forward is None or self.undo is None:
            return False
        return start + self.forward + self.undo > closes


def estimate(plan: Plan, said: str) -> Estimate:
    """The 90th percentile of what this procedure took here; else what the document says.

    Time at which it waited for people is not counted. A rollback that was never timed may take as long
    as the way forward.
    """
    forward, past = _took(plan, ExecutionState.SUCCEEDED, Phase.FORWARD)
    if past < FEWEST:
        forward, past = parse(said), 0
    undo, undone = _took(plan, ExecutionState.ROLLED_BACK, Phase.ROLLBACK)
    if not plan.backward:
        undo = timedelta(0)
    elif undone < FEWEST:
        undo = forward
    return Estimate(forward, undo, past)


def parse(said: str) -> timedelta | None:
    """The longest time that an estimate in words allows: 45 minutes for “30-45 min”."""
    found = _SAID.search(said)
    if found is None:
        return None
    return timedelta(seconds=float(found[1]) * _SECONDS[found[2].lower()])


def _took(plan: Plan, state: ExecutionState, phase: Phase) -> tuple[timedelta | None, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH past AS (
              SELECT id FROM executions_execution
               WHERE runbook_id = %s AND environment_id = %s AND procedure = %s AND state = %s
               ORDER BY id DESC LIMIT %s
            ), stage AS (
              SELECT execution_id, key, max(finished_at - started_at) AS took
                FROM executions_steprun
               WHERE execution_id IN (SELECT id FROM past) AND phase = %s
                 AND kind NOT IN ('approval', 'manual', 'checklist')
               GROUP BY execution_id, key
            ), whole AS (
              SELECT sum(took) AS took FROM stage GROUP BY execution_id
            )
            SELECT percentile_disc(0.9) WITHIN GROUP (ORDER BY took), count(took) FROM whole
            """,
            [plan.runbook, plan.environment, plan.procedure, state, NEWEST, phase],
        )
        took, count = cursor.fetchone()
    return took, count
