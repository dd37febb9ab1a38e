"""Output lies in a partition of its month; old months are dropped, and the pages say so."""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from cvdops.audit.models import AuditEntry
from cvdops.executions import output, partitions
from cvdops.executions.models import Execution, OutputSegment, StepAttempt
from cvdops.executions.partitions import Month
from tests.executions.scene import Scene
from tests.executions.test_engine import block


@pytest.fixture(autouse=True)
def _as_new(transactional_db: None) -> Iterator[None]:
    """No output and no partitions of months; afterwards those that there usually are."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE executions_outputsegment")
        for month in partitions.months():
            cursor.execute(f"DROP TABLE {month.table}")
    yield
    with connection.cursor() as cursor:
        for month in partitions.months():
            cursor.execute(f"DROP TABLE {month.table}")
    partitions.prepare()


@pytest.fixture
def execution(scene: Scene) -> Execution:
    scene.runbook(block("one", "echo kept for a while"))
    return scene.run()


def now() -> Month:
    today = datetime.now(UTC)
    return Month(today.year, today.month)


def rows(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608
        return int(cursor.fetchone()[0])


def written(execution: Execution, months_ago: int) -> StepAttempt:
    """As if it had run so long ago."""
    when = (now() + -months_ago).begin
    StepAttempt.objects.filter(step__execution=execution).update(sent_at=when)
    OutputSegment.objects.filter(execution=execution).update(created_at=when)
    return StepAttempt.objects.get(step__execution=execution)


def retention(*arguments: str) -> str:
    said = StringIO()
    call_command("retention", *arguments, stdout=said)
    return said.getvalue()


def test_months_are_counted_over_the_years() -> None:
    assert [str(Month(2026, 11) + n) for n in (-23, 0, 1, 2)] == [
        "2024-12", "2026-11", "2026-12", "2027-01",
    ]  # fmt: skip


def test_this_month_and_the_next_ones_get_partitions_once() -> None:
    assert partitions.prepare() == [now(), now() + 1, now() + 2]
    assert partitions.prepare() == []
    assert partitions.months() == [now(), now() + 1, now() + 2]


def test_what_lay_outside_goes_into_its_month(execution: Execution) -> None:
    attempt = written(execution, 14)
    assert rows("executions_outputsegment_default") == 1
    assert now() + -14 in partitions.prepare()
    assert rows("executions_outputsegment_default") == 0
    assert output.read(attempt.pk) == b"kept for a while\n"


def test_new_output_goes_into_the_partition_of_the_month(scene: Scene) -> None:
    partitions.prepare()
    scene.runbook(block("one", "echo here"))
    assert scene.output(scene.run(), "one") == "here\n"
    assert rows(now().table) == 1


def test_retention_drops_old_months_and_keeps_what_was_done(execution: Execution) -> None:
    attempt = written(execution, 13)
    assert f"Removed the output of {now() + -13}" in retention("--keep", "12")
    assert output.read(attempt.pk) == b""
    assert StepAttempt.objects.get(pk=attempt.pk).output_digest == attempt.output_digest
    entry = AuditEntry.objects.get(action="output.remove")
    assert (entry.subject_id, entry.data["months"]) == (str(now() + -13), 12)


def test_retention_keeps_the_months_that_it_is_told_to(execution: Execution) -> None:
    attempt = written(execution, 12)
    assert retention("--keep", "12") == "No output is older than 12 months.\n"
    assert output.read(attempt.pk) == b"kept for a while\n"


def test_retention_can_be_tried(execution: Execution) -> None:
    attempt = written(execution, 13)
    assert retention("--keep", "12", "--dry-run") == f"Would remove the output of {now() + -13}.\n"
    assert output.read(attempt.pk) == b"kept for a while\n"


def test_the_present_month_cannot_be_removed() -> None:
    with pytest.raises(CommandError, match="at least 1 month"):
        retention("--keep", "0")


def test_the_page_says_that_output_was_removed(scene: Scene, execution: Execution) -> None:
    written(execution, 13)
    retention("--keep", "12")
    client = Client()
    client.force_login(scene.person("developer"))
    said = "Its output was removed after 12 months: 17 bytes."
    assert said in client.get(f"/executions/{execution.pk}/").content.decode()
    download = client.get(f"/executions/{execution.pk}/steps/one/output/")
    assert (download.status_code, download.content.decode()) == (410, said)
