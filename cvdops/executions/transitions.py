"""The only writer of states: one guarded UPDATE and its event row, in one statement.

Every change first raises the execution's `seq` under its row lock, and with it checks the fencing token
or the state that the caller relies on. Zero rows mean that somebody else was first: an ordinary answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from cvdops.accounts.models import User
from cvdops.executions.states import (
    ACTIVE,
    EXECUTION_MOVES,
    STEP_MOVES,
    TERMINAL,
    ExecutionEvent,
    ExecutionState,
    StepEvent,
)
from cvdops.lib.failpoints import failpoint
from cvdops.lib.statements import prepared

Fields = Mapping[str, Any]
# Of a step that is not started any more: the time before is that of its attempts.
AFRESH: Fields = {"started_at": None, "finished_at": None, "exit_code": None}
# Of an execution that is over, whatever it waited for before.
_OVER: Fields = {"waiting_for": {}, "due_at": None}
_NOW = "statement_timestamp()"


class Superseded(Exception):
    """Zero rows: the lease is another worker's, or the state is no longer what it was."""


@dataclass(frozen=True, slots=True)
class Also:
    """A statement that happens with a step's move and only with it: it selects from `s`, the step.

    With `given`, a condition, neither happens unless it is true.
    """

    sql: str
    values: tuple[Any, ...]
    given: str = "TRUE"
    given_values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Hand:
    """Who writes: a worker by its fencing token, or a person (or the portal) without one."""

    execution: UUID
    token: int | None = None
    actor: User | None = None

    def move(self, event: ExecutionEvent, data: Fields | None = None, **fields: Any) -> int:
        """Move the execution; returns the new seq. At an end it waits for nothing. Raises Superseded."""
        move = EXECUTION_MOVES[event]
        terminal = move.destination in TERMINAL
        sets, values = _assignments({**fields, **_OVER} if terminal else fields)
        return self._write(
            f"""
            WITH e AS (
              UPDATE executions_execution
                 SET seq = seq + 1, state = %s, state_since = {_NOW},
                     finished_at = {_NOW if terminal else "NULL"} {sets}
               WHERE id = %s AND state = ANY(%s::text[]) {self._fence()} RETURNING seq
            )
            INSERT INTO executions_event (execution_id, seq, kind, actor_id, data)
            SELECT %s, seq, %s, %s::bigint, %s FROM e RETURNING seq
            """,
            [
                move.destination, *values, self.execution, _array(move.sources), *self._token(),
                self.execution, f"execution.{event}", *self._signature(data),
            ],
        )  # fmt: skip

    def step(
        self,
        step: UUID,
        event: StepEvent,
        data: Fields | None = None,
        *,
        execution: Fields | None = None,
        also: Also | None = None,
        **fields: Any,
    ) -> int:
        """Move a step, with fields of its execution and one more row; returns the new seq.

        All of it is one statement, so that outside a transaction it needs no BEGIN and COMMIT.
        Raises Superseded.
        """
        move = STEP_MOVES[event]
        sets, values = _assignments(fields)
        execution_sets, execution_values = _assignments(execution or {})
        more, more_values = (f", a AS ({also.sql})", also.values) if also else ("", ())
        given, given_values = (f"AND {also.given}", also.given_values) if also else ("", ())
        return self._write(
            f"""
            WITH e AS (
              UPDATE executions_execution SET seq = seq + 1 {execution_sets}
               WHERE id = %s AND state = ANY(%s::text[]) {self._fence()} {given} RETURNING seq
            ), s AS (
              UPDATE executions_steprun SET state = %s {sets} FROM e
               WHERE executions_steprun.id = %s AND execution_id = %s
                 AND executions_steprun.state = ANY(%s::text[])
              RETURNING executions_steprun.id
            ) {more}
            INSERT INTO executions_event (execution_id, seq, kind, step_id, actor_id, data)
            SELECT %s, e.seq, %s, s.id, %s::bigint, %s FROM e, s RETURNING seq
            """,
            [
                *execution_values, self.execution, _array(ACTIVE), *self._token(), *given_values,
                move.destination, *values, step, self.execution, _array(move.sources),
                *more_values,
                self.execution, f"step.{event}", *self._signature(data),
            ],
        )  # fmt: skip

    def change(
        self,
        kind: str,
        data: Fields | None = None,
        step: UUID | None = None,
        states: frozenset[str] = frozenset(ExecutionState),
        **fields: Any,
    ) -> int:
        """Record an event that moves no state, and set fields of the execution with it.

        Unlike a move it may be made by a person while a worker holds the execution.
        """
        sets, values = _assignments(fields)
        return self._write(
            f"""
            WITH e AS (
              UPDATE executions_execution SET seq = seq + 1 {sets}
               WHERE id = %s AND state = ANY(%s::text[]) {self._holder()} RETURNING seq
            )
            INSERT INTO executions_event (execution_id, seq, kind, step_id, actor_id, data)
            SELECT %s, seq, %s, %s::uuid, %s::bigint, %s FROM e RETURNING seq
            """,
            [
                *values, self.execution, _array(states), *self._token(),
                self.execution, kind, step, *self._signature(data),
            ],
        )  # fmt: skip

    def _fence(self) -> str:
        # A person moves only what no worker holds: of what is held they ask by `intent`.
        # A worker that has let go, or been told so too late, is refused like any other.
        if self.token is None:
            return "AND lease_until IS NULL"
        return "AND lease_token = %s AND lease_until IS NOT NULL"

    def _holder(self) -> str:
        return "" if self.token is None else "AND lease_token = %s"

    def _token(self) -> list[int]:
        return [] if self.token is None else [self.token]

    def _signature(self, data: Fields | None) -> list[Any]:
        return [self.actor.pk if self.actor else None, Jsonb(dict(data or {}))]

    def _write(self, sql: str, values: list[Any]) -> int:
        row = prepared(sql, values)
        failpoint("write")
        if row is None:
            raise Superseded
        return int(row[0])


class DatabaseNow:
    """The database's clock, as the value of a field."""


@dataclass(frozen=True, slots=True)
class InSeconds:
    """So many seconds from now by the database's clock, as the value of a field."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Merge:
    """These keys of a JSON object, the others staying as they are, as the value of a field."""

    values: Fields


@cache
def _array(states: frozenset[str]) -> str:
    # Ready for the server: putting lists into messages costs more than all other values together.
    return "{" + ",".join(sorted(states)) + "}"


def _assignments(fields: Fields) -> tuple[str, list[Any]]:
    """`, name = %s …` and the values. Names are written in this program, never taken from input."""
    sets: list[str] = []
    values: list[Any] = []
    for name, value in fields.items():
        if value is DatabaseNow:
            sets.append(f", {name} = {_NOW}")
            continue
        if isinstance(value, InSeconds):
            sets.append(f", {name} = {_NOW} + make_interval(secs => %s)")
            values.append(value.seconds)
            continue
        if isinstance(value, Merge):
            sets.append(f", {name} = {name} || %s")
            values.append(Jsonb(dict(value.values)))
            continue
        sets.append(f", {name} = %s")
        values.append(Jsonb(value) if isinstance(value, dict | list) else value)
    return " ".join(sets), values
