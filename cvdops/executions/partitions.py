"""The months of the output table: each a partition, made before it is needed and dropped as a whole."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.db import connection, transaction
from psycopg import sql
from psycopg.sql import Composed, Identifier, Literal

from cvdops.audit.log import record
from cvdops.audit.models import AuditEntry
from cvdops.executions.models import OutputWords, StepAttempt

log = logging.getLogger(__name__)

TABLE = "executions_outputsegment"
AHEAD = 2  # months after this one that have their partition
REMOVED = "output.remove"  # in the audit log
_LOCK = 0x43564405  # advisory: one at a time makes and drops partitions
_PATIENCE = "3s"  # nobody who stores or reads output waits longer because of this
_NAME = re.compile(TABLE + r"_(\d{4})_(\d{2})")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month by UTC."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year}-{self.number:02}"

    def __add__(self, months: int) -> "Month":
        year, number = divmod(self.year * 12 + self.number - 1 + months, 12)
        return Month(year, number + 1)

    @property
    def begin(self) -> datetime:
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def table(self) -> str:
        return f"{TABLE}_{self.year}_{self.number:02}"


def prepare() -> list[Month]:
    """Make the partitions that are missing: of this month, of the next ones, and of whatever is stored
    where no month had one. Returns which; by any worker, any number of times."""
    with _alone():
        wanted = {_now() + n for n in range(AHEAD + 1)} | set(_strays())
        missing = sorted(wanted - set(months()))
        for month in missing:
            _make(month)
        return missing


def months() -> list[Month]:
    """Those that have a partition, oldest first."""
    names = _column(
        "SELECT relid::regclass::text FROM pg_partition_tree(%s) WHERE isleaf ORDER BY 1", TABLE
    )
    found = (_NAME.fullmatch(str(name)) for name in names)
    return [Month(int(match[1]), int(match[2])) for match in found if match]


def too_old(keep: int) -> list[Month]:
    """The months that have output and are not among the newest so many, beside the present one."""
    return [month for month in months() if month < _now() + -keep]


def remove(month: Month, keep: int) -> int:
    """Drop all output of this month. Returns how many bytes of disk it took.

    Executions, attempts and the digests of their output stay; no search finds its words any more.
    """
    with _alone():
        (size,) = _column("SELECT pg_total_relation_size(%s::regclass)", month.table)
        _run(sql.SQL("DROP TABLE {}").format(Identifier(month.table)))
        OutputWords.objects.filter(
            written_at__gte=month.begin, written_at__lt=(month + 1).begin
        ).delete()
        record(None, REMOVED, "output", month, data={"months": keep, "bytes": size})
    return int(str(size))


def removed_after(attempt: StepAttempt) -> int | None:
    """After how many months the output of this attempt was removed, if it was."""
    began = attempt.sent_at.astimezone(UTC)
    entries = AuditEntry.objects.filter(
        action=REMOVED, subject="output", subject_id=str(Month(began.year, began.month))
    )
    entry = entries.order_by("-id").first()
    return int(entry.data["months"]) if entry else None


@contextmanager
def _alone() -> Iterator[None]:
    with transaction.atomic():
        _run(sql.SQL("SET LOCAL lock_timeout = {}").format(Literal(_PATIENCE)))
        _column("SELECT pg_advisory_xact_lock(%s)", _LOCK)
        yield


def _now() -> Month:
    (today,) = _column("SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date")
    return _month(today)


def _strays() -> list[Month]:
    """Of what is stored in the default partition, which has no month."""
    found = _column(
        "SELECT DISTINCT date_trunc('month', created_at AT TIME ZONE 'UTC')::date"
        " FROM executions_outputsegment_default"
    )
    return [_month(day) for day in found]


def _month(day: object) -> Month:
    assert isinstance(day, date)  # noqa: S101
    return Month(day.year, day.month)


def _make(month: Month) -> None:
    """Attached as a finished table: making it as a partition would lock out everybody who reads."""
    begin, end = Literal(month.begin), Literal((month + 1).begin)
    table, default = Identifier(month.table), Identifier(f"{TABLE}_default")
    _run(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(default))
    _run(
        sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING STORAGE)").format(
            table, Identifier(TABLE)
        )
    )
    _run(
        sql.SQL(
            "WITH moved AS (DELETE FROM {} WHERE created_at >= {} AND created_at < {} RETURNING *) "
            "INSERT INTO {} SELECT * FROM moved"
        ).format(default, begin, end, table)
    )
    _run(
        sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(
            Identifier(TABLE), table, begin, end
        )
    )
    log.info("The output of %s has its partition.", month)


def _run(statement: Composed) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _column(query: str, *values: int | str) -> list[object]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return [row[0] for row in cursor.fetchall()]
