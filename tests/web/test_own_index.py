"""What pages say of a runbook, a version and a procedure is found by an index of its own.

So it costs the same however much else ran, also of what hardly ever runs.
"""

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from cvdops.access.policy import readable_categories, sight
from cvdops.accounts.models import User
from cvdops.executions import repute
from cvdops.executions.estimate import estimate
from cvdops.executions.impact import impact
from cvdops.executions.metrics import metrics
from cvdops.executions.models import Execution
from cvdops.executions.plan import from_json
from cvdops.web import summaries
from cvdops.web.views.runbook import last
from tests.cast import person
from tests.web.world import World

#: What the planner prefers to an index as long as there are few rows.
SHORT_CUTS = [
    "seqscan",
    "bitmapscan",
    "sort",
    "incremental_sort",
    "hashjoin",
    "mergejoin",
    "material",
]

NEWEST = re.compile(r"FROM .?executions_execution.*LIMIT", re.DOTALL)

Asks = Callable[[User, Execution], object]


def told(user: User, earlier: Execution) -> None:
    plan = from_json(earlier.plan)
    estimate(plan, ""), impact(user, plan)


LOOKS: dict[str, tuple[Asks, set[str]]] = {
    "metrics": (lambda user, _: metrics(user, 365), {"execution_by_runbook"}),
    "catalog": (
        lambda user, _: list(summaries.runbooks.ask(readable_categories(user), sight(user))),
        {"execution_by_runbook"},
    ),
    "runbook": (
        lambda user, _: list(repute.versions.ask(user, Q(runbook="deployment"))),
        {"execution_by_version", "execution_tested"},
    ),
    "last of a runbook": (
        lambda user, earlier: list(last(user, earlier.runbook)),
        {"execution_by_runbook"},
    ),
    "launch": (told, {"execution_of_procedure", "execution_rolled_back"}),
}


@pytest.mark.parametrize("look", LOOKS)
def test_it_is_found_by_its_own_index(look: str, world: World) -> None:
    ask, indexes = LOOKS[look]
    earlier = world.start()
    with CaptureQueriesContext(connection) as asked:
        ask(person("operations-lead"), earlier)
    only(indexes)
    # what a server-side statement was made of is not told; the first in a process may read rights by one
    texts = [one["sql"] for one in asked.captured_queries if one["sql"]]
    plans = "\n".join(explained(text) for text in texts if NEWEST.search(text))
    for index in indexes:
        *before, _ = plans.split(f"using {index}")
        assert any("Sort" not in one.split("Limit")[-1] for one in before if "Limit" in one), plans


def only(indexes: set[str]) -> None:
    """Hide the others of the table from the planner: what it prefers depends on what it counted last."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE pg_index SET indisvalid = indexrelid = ANY(%s::regclass[])
             WHERE indrelid = 'executions_execution'::regclass
            """,
            [sorted(indexes)],
        )


def explained(query: str) -> str:
    with connection.cursor() as cursor:
        for how in SHORT_CUTS:
            cursor.execute(f"SET LOCAL enable_{how} = off")
        cursor.execute(f"EXPLAIN {query}")
        return "\n".join(line for (line,) in cursor.fetchall())
