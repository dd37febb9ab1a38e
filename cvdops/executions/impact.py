"""What a start would meet: who holds its locks, what else runs there, how it went before. In one statement."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from cvdops.access.policy import sees
from cvdops.accounts.models import User
from cvdops.executions.plan import Plan
from cvdops.executions.states import (
    ACTIVE,
    EXECUTION_LOOKS,
    HELD,
    TERMINAL,
    UNHEARD,
    Look,
)
from cvdops.executions.worked import WORKED

SHOWN = 5

_IMPACT = f"""
    WITH RECURSIVE held AS (
      SELECT l.name, e.id, e.number, e.state, b.title, b.category, u.name AS person
        FROM executions_lock l JOIN executions_execution e ON e.id = l.execution_id
             JOIN catalog_runbook b ON b.id = e.runbook_id JOIN accounts_user u ON u.id = e.requested_by_id
       WHERE l.environment_id = %(environment)s AND l.name = ANY(%(locks)s)
    ), going AS (
      SELECT e.id, e.number, e.state, b.title, b.category, u.name AS person,
             e.state = ANY(%(held)s)
               AND coalesce(e.lease_until < statement_timestamp(), true) AS unheard
        FROM executions_execution e
             JOIN catalog_runbook b ON b.id = e.runbook_id JOIN accounts_user u ON u.id = e.requested_by_id
       WHERE e.state = ANY(%(active)s) AND e.environment_id = %(environment)s AND e.parent_id IS NULL
       ORDER BY e.id DESC LIMIT 100
    ), before AS (
      SELECT n.id, n.number, n.state
        FROM executions_execution n
       WHERE n.runbook_id = %(runbook)s AND n.environment_id = %(environment)s
         AND n.procedure = %(procedure)s AND n.state = ANY(%(over)s) AND n.started_at IS NOT NULL
       ORDER BY n.id DESC LIMIT %(shown)s
    ), top AS (
      SELECT DISTINCT b.id, s.phase, s.key
        FROM before b JOIN executions_steprun s ON s.execution_id = b.id
    ), {WORKED}, timed AS (
      SELECT b.*, coalesce((SELECT sum(w.seconds) FROM worked w WHERE w.id = b.id), 0) AS took
        FROM before b
    )
    SELECT (SELECT jsonb_agg(to_jsonb(h) ORDER BY h.name) FROM held h),
           (SELECT jsonb_agg(to_jsonb(g) ORDER BY g.id DESC) FROM going g),
           (SELECT jsonb_agg(to_jsonb(t) ORDER BY t.id DESC) FROM timed t)
"""  # noqa: S608 — of two constants


@dataclass(frozen=True, slots=True)
class Other:
    """Another execution: of those that run there, or an earlier one of the same."""

    pk: UUID
    number: int
    look: Look
    title: str = ""
    person: str = ""
    took: timedelta | None = None  # without what people took; of an earlier one


@dataclass(frozen=True, slots=True)
class Needed:
    """A lock that it takes. `holder` is None if it is free, or held by what this person may not see."""

    name: str
    held: bool
    holder: Other | None


@dataclass(frozen=True, slots=True)
class Impact:
    locks: tuple[Needed, ...]
    going: tuple[Other, ...]  # in the same environment, as far as this person may see them
    last: tuple[Other, ...]  # of the same procedure there, the newest first


def impact(user: User, plan: Plan) -> Impact:
    """What this start would meet now."""
    locks = sorted({*plan.locks, *(s.attributes.lock for s in plan.forward if s.attributes.lock)})
    values: dict[str, str | int | list[str]] = {
        "environment": plan.environment,
        "runbook": plan.runbook,
        "procedure": plan.procedure,
        "locks": locks,
        "active": sorted(ACTIVE),
        "held": sorted(HELD),
        "over": sorted(TERMINAL),
        "shown": SHOWN,
    }
    with connection.cursor() as cursor:
        cursor.execute(_IMPACT, values)
        held, going, last = (json.loads(rows) if rows else [] for rows in cursor.fetchone())
    seen = {row["id"] for row in (*held, *going) if sees(user, row["category"], plan.environment)}
    return Impact(
        locks=tuple(_needed(name, held, seen) for name in locks),
        going=tuple(_other(row) for row in going if row["id"] in seen),
        last=tuple(_other(row) for row in last),
    )


def _needed(name: str, held: Sequence[Mapping[str, Any]], seen: set[str]) -> Needed:
    row = next((row for row in held if row["name"] == name), None)
    return Needed(name, row is not None, _other(row) if row and row["id"] in seen else None)


def _other(row: Mapping[str, Any]) -> Other:
    return Other(
        UUID(row["id"]),
        row["number"],
        UNHEARD if row.get("unheard") else EXECUTION_LOOKS[row["state"]],
        row.get("title", ""),
        row.get("person", ""),
        timedelta(seconds=row["took"]) if row.get("took") is not None else None,
    )
