"""How long a start would take, and its rollback: from what it took before, else from what the document says."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import connection

from cvdops.executions.pace import FEWEST
from cvdops.executions.plan import Plan
from cvdops.executions.states import Phase
from cvdops.executions.worked import WORKED

NEWEST = 50
# Seconds that the program itself takes between two steps at most; what is longer is a pause or a wait.
BETWEEN = 60
_SAID = re.compile(
    r"(?:\d+\s*(?:-|–|to)\s*)?(\d+(?:\.\d+)?)\s*(s\b|sec|min|h\b|hour|day)", re.IGNORECASE
)
_NOTHING = (None, None, 0)
_SECONDS = {"s": 1, "sec": 1, "min": 60, "h": 3600, "hour": 3600, "day": 86400}

_TOOK = f"""
    WITH RECURSIVE past AS (
      (SELECT 'forward' AS phase, id, finished_at, started_at AS began FROM executions_execution
        WHERE runbook_id = %(runbook)s AND environment_id = %(environment)s
          AND procedure = %(procedure)s AND state = 'succeeded'
        ORDER BY id DESC LIMIT %(newest)s)
       UNION ALL
      (SELECT 'rollback', id, finished_at, NULL FROM executions_execution
        WHERE runbook_id = %(runbook)s AND environment_id = %(environment)s
          AND procedure = %(procedure)s AND state = 'rolled_back'
        ORDER BY id DESC LIMIT %(newest)s)
    ), step AS (
      SELECT p.phase, p.id, s.key, s.kind, s.started_at, s.finished_at,
             s.started_at - coalesce(max(s.finished_at) OVER (
               PARTITION BY p.phase, p.id ORDER BY s.started_at, s.id
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
             ), p.began) AS gap
        FROM past p JOIN executions_steprun s ON s.execution_id = p.id AND s.phase = p.phase
       WHERE s.finished_at IS NOT NULL AND s.started_at IS NOT NULL
    ), top AS (
      SELECT DISTINCT id, phase, key FROM step
       WHERE kind NOT IN ('approval', 'manual', 'checklist')
    ), {WORKED}, stage AS (
      SELECT phase, id, make_interval(secs => seconds) AS took FROM worked
    ), part AS (
      SELECT phase, id, took FROM stage
      UNION ALL
      SELECT phase, id, gap FROM step WHERE gap BETWEEN interval '0' AND %(between)s * interval '1 s'
      UNION ALL
      SELECT p.phase, p.id, p.finished_at - max(s.finished_at)
        FROM past p JOIN step s USING (phase, id) GROUP BY p.phase, p.id, p.finished_at
      HAVING p.finished_at - max(s.finished_at) BETWEEN interval '0' AND %(between)s * interval '1 s'
    ), whole AS (
      SELECT phase, sum(took) AS took FROM part GROUP BY phase, id
      HAVING (phase, id) IN (SELECT phase, id FROM stage)
    )
    SELECT phase, percentile_disc(0.5) WITHIN GROUP (ORDER BY took),
           percentile_disc(0.9) WITHIN GROUP (ORDER BY took), count(took)
      FROM whole GROUP BY phase
"""  # noqa: S608 — of two constants


@dataclass(frozen=True, slots=True)
class Estimate:
    """Both None: nobody knows."""

    forward: timedelta | None
    undo: timedelta | None  # zero if there is nothing to roll back
    past: int  # executions that `forward` comes from; 0: from the document
    median: timedelta | None = None  # of those
    too_few: int = 0  # past executions, where they are fewer than tell something

    fewest: ClassVar[int] = FEWEST

    def late(self, start: datetime, closes: datetime) -> bool:
        """Whether it would not be done, with time left to roll it back, before the window closes."""
        if self.forward is None or self.undo is None:
            return False
        return start + self.forward + self.undo > closes


def estimate(plan: Plan, said: str) -> Estimate:
    """The 90th percentile of what this procedure took here; else what the document says.

    The time of its steps and what lies between them. Time at which it waited for people is not counted, nor
    anything between two steps that is longer than a minute. A rollback that was never timed may take as long
    as the way forward.
    """
    took = _took(plan)
    median, forward, past = took.get(Phase.FORWARD, _NOTHING)
    too_few = past if past < FEWEST else 0
    if past < FEWEST:
        median, forward, past = None, parse(said), 0
    _, undo, undone = took.get(Phase.ROLLBACK, _NOTHING)
    if not plan.backward:
        undo = timedelta(0)
    elif undone < FEWEST:
        undo = forward
    return Estimate(forward, undo, past, median, too_few)


def parse(said: str) -> timedelta | None:
    """The longest time that an estimate in words allows: 45 minutes for “30-45 min”."""
    found = _SAID.search(said)
    if found is None:
        return None
    return timedelta(seconds=float(found[1]) * _SECONDS[found[2].lower()])


def _took(plan: Plan) -> Mapping[str, tuple[timedelta | None, timedelta | None, int]]:
    """By phase: the median, the 90th percentile, and of how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            _TOOK,
            {
                "runbook": plan.runbook,
                "environment": plan.environment,
                "procedure": plan.procedure,
                "newest": NEWEST,
                "between": BETWEEN,
            },
        )
        return {phase: (median, most, count) for phase, median, most, count in cursor.fetchall()}
