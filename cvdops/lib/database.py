"""A connection to PostgreSQL that does not wait for ever for a server that has gone silent."""

import time
from typing import Any, ClassVar, Self, TypeVar

import psycopg
from psycopg.abc import PQGen

T = TypeVar("T")

SOONER = 0.9  # of a client's patience


def too_long(error: BaseException) -> bool:
    """Whether that is all that was wrong: the server answers, and ended a statement that took too long."""
    return isinstance(error.__cause__, psycopg.errors.QueryCanceled)


class Connection(psycopg.Connection[Any]):
    """A server that is frozen, or cut off without a word, resets nothing: its clients have to give up."""

    patience: ClassVar[float | None] = (
        None  # seconds for one statement; None: an operator's command
    )
    losses: ClassVar[int] = (
        0  # of this process: after each the database may have gone back a little
    )
    answered_at: ClassVar[float] = 0.0  # by the monotonic clock: any connection of this process
    _asked_at: ClassVar[dict[int, float]] = {}  # by connection, while it waits

    @classmethod
    def connect(cls, conninfo: str = "", **options: Any) -> Self:
        """The server ends what takes too long a little sooner than its client: it would go on for nobody."""
        if cls.patience is not None:
            limit = f"-c statement_timeout={cls.patience * SOONER * 1000:.0f}"
            options["options"] = f"{options.get('options', '')} {limit}".strip()
        return super().connect(conninfo, **options)

    @classmethod
    def silence(cls) -> float:
        """Seconds for which this process has been waiting for answers without getting any."""
        waiting = list(cls._asked_at.values())
        return time.monotonic() - max(cls.answered_at, min(waiting)) if waiting else 0.0

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        limit = self.patience if timeout is None else timeout
        self._asked_at[id(self)] = time.monotonic()
        try:
            answer = super().wait(gen, interval, limit)
            Connection.answered_at = time.monotonic()
            return answer
        except psycopg.errors._WaitTimeout:
            if timeout is not None:
                raise
            self.pgconn.finish()  # whatever it still says is not the answer to the next statement
            Connection.losses += 1
            raise psycopg.OperationalError(f"no answer within {limit:g} s") from None
        except psycopg.OperationalError:
            if self.closed:
                Connection.losses += 1
            raise
        finally:
            del self._asked_at[id(self)]
