"""What a history of years ran: the procedures of the demo in each environment, with their plans and steps.

A few of them are run day after day and most hardly ever, and those of one runbook never.
"""

import json
import random
from collections.abc import Iterator
from typing import Any

READER = "operations-lead"
OFTEN = "backup-restore"
RARE = "performance-tuning"
NEVER = "security-audit"
# Of a million executions, those of each runbook, in hundreds.
DRAWN = {OFTEN: 6000, "deployment": 3000, "incident-response": 995, RARE: 5, NEVER: 0}

_TABLES = (
    """CREATE TEMP TABLE plans (n int, runbook_id text, version_id bigint, environment_id text,
                                 category text, procedure text, plan jsonb, digest text)""",
    """CREATE TEMP TABLE steps (plan int, position int, lane int, key text, host text, section text,
                                 kind text, title text, main boolean)""",
    "CREATE TEMP TABLE draws (n int, plan int)",
)


def lay_out(cursor) -> None:
    """Temporary tables: the plans, the steps of each, and for each number that may be drawn its plan."""
    from cvdops.executions.models import Execution
    from cvdops.executions.plan import ON_HOSTS, digest, to_json
    from cvdops.executions.rollback import step_runs

    for table in _TABLES:
        cursor.execute(table)
    of_runbook: dict[str, list[int]] = {}
    for n, preview in enumerate(_previews()):
        stored = to_json(preview.draft)
        row = [n, preview.runbook.pk, preview.version.pk, preview.environment.pk]
        row += [preview.runbook.category, preview.procedure, json.dumps(stored), digest(stored)]
        cursor.execute("INSERT INTO plans VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", row)
        steps = step_runs(Execution(), preview.draft)
        main = next(i for i, s in enumerate(steps) if s.kind in ON_HOSTS)
        cursor.executemany(
            "INSERT INTO steps VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                [n, s.position, s.lane, s.key, s.host, s.section, s.kind, s.title, i == main]
                for i, s in enumerate(steps)
            ],
        )
        of_runbook.setdefault(preview.runbook.pk, []).append(n)
    cursor.executemany("INSERT INTO draws VALUES (%s, %s)", list(enumerate(_drawn(of_runbook))))


def _drawn(of_runbook: dict[str, list[int]]) -> Iterator[int]:
    """The first plans of a runbook far more often than its others."""
    chance = random.Random(1)  # noqa: S311
    for runbook, share in DRAWN.items():
        weights = [1 / (n + 1) ** 2 for n in range(len(of_runbook[runbook]))]
        yield from chance.choices(of_runbook[runbook], weights, k=share)


def procedures() -> list[tuple[str, str, str]]:
    """Runbook, procedure and environment: the most frequent first."""
    from cvdops.catalog.models import Runbook
    from cvdops.catalog.queries import document
    from cvdops.environments.models import Environment

    environments = list(Environment.objects.order_by("slug").values_list("slug", flat=True))
    return [
        (runbook.pk, procedure.key, environment)
        for runbook in Runbook.objects.filter(removed_at__isnull=True).order_by("id")
        for procedure in document(runbook.current).procedures
        for environment in environments
    ]


def _previews() -> Iterator[Any]:
    """What a start of each of them would be."""
    from cvdops.accounts.models import User
    from cvdops.executions import services

    user = User.objects.get(username=READER)
    for runbook, procedure, environment in procedures():
        yield services.preview(user, runbook, environment, procedure, {})
