"""What attempts leave in their job directories on their hosts, which is removed for good.

The worker that sees an attempt end has its files removed at once, and may die just before, or find the host
away. So `clean_at` says when somebody looks again, until the host itself says that they are gone: after a
minute first, then less and less often. An attempt whose end nobody has seen keeps them, until it was looked
at: a stop that a Lead settled by word is.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import connection

from cvdops.executions import context, settled
from cvdops.executions.finishing import FIRST
from cvdops.executions.models import Execution, StepAttempt
from cvdops.executions.plan import Target, from_json
from cvdops.lib import statements
from cvdops.runners.job import StartFailed, Unreachable

log = logging.getLogger(__name__)

RARELY = 3600.0  # seconds between two looks, at last
OFTEN = 300.0  # the same where something may still run
GIVEN_UP = 30 * 86400.0  # seconds after its end: for so long an empty directory is kept, too


def due(queues: Sequence[str], limit: int) -> list[UUID]:
    """Executions of attempts that workers of these queues have to look for."""
    with statements.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT e.id FROM executions_stepattempt a
              JOIN executions_steprun s ON s.id = a.step_id
              JOIN executions_execution e ON e.id = s.execution_id
             WHERE a.clean_at <= statement_timestamp() AND 'env.' || e.environment_id = ANY(%s)
             LIMIT %s
            """,
            [list(queues), limit],
        )
        return [execution for (execution,) in cursor.fetchall()]


def tidy(execution: UUID) -> None:
    """Remove what its attempts that are over have left. By any worker, any number of times."""
    left = _postponed(execution)
    if not left:
        return
    hosts = from_json(Execution.objects.values_list("plan", flat=True).get(pk=execution)).hosts
    for (host, spool), attempts in left.items():
        ended = [attempt for attempt in attempts if settled.over(attempt)]
        if ended and _removed(hosts[host], spool, ended):
            StepAttempt.objects.filter(pk__in=ended).update(clean_at=None)


def _postponed(execution: UUID) -> Mapping[tuple[str, str], list[UUID]]:
    """The attempts of each host and spool. First of all the next look at them is put off by their age: so
    no other worker comes now, and a host that is away is asked half as often each time."""
    found = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE executions_stepattempt a
               SET clean_at = CASE
                     WHEN a.finished_at > statement_timestamp() - make_interval(secs => %s)
                     THEN statement_timestamp() + greatest(
                       make_interval(secs => %s),
                       least(
                         make_interval(secs => CASE a.state WHEN 'interrupted' THEN %s ELSE %s END),
                         statement_timestamp() - a.finished_at
                       )
                     ) END
              FROM executions_steprun s
             WHERE s.id = a.step_id AND s.execution_id = %s AND a.clean_at IS NOT NULL
            RETURNING s.host, a.spool, a.id
            """,
            [GIVEN_UP, FIRST, OFTEN, RARELY, execution],
        )
        for host, spool, attempt in cursor.fetchall():
            found[host, spool].append(attempt)
    return found


def _removed(target: Target, spool: str, attempts: Sequence[UUID]) -> bool:
    """Whether the spool that they were sent to says that they are gone."""
    try:
        transport = context.transport(target)
        connection.close()  # back to the pool: the host may take its time
        known = transport.spool().identity == spool
        return known and transport.cleaned([str(attempt) for attempt in attempts])
    except (StartFailed, Unreachable) as error:
        log.info("Files of %d attempts stay on %s for now: %s", len(attempts), target.name, error)
        return False
