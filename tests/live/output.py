"""Output and events of an execution as the engine stores them, without the engine."""

import uuid

import zstandard
from django.db import connection

from cvdops.executions.hints import announce
from cvdops.executions.models import Execution, StepAttempt
from cvdops.executions.transitions import Hand

INSERT = """
WITH e AS (UPDATE executions_execution SET seq = seq + 1 WHERE id = %s RETURNING seq)
INSERT INTO executions_outputsegment
  (attempt_id, "offset", length, source_end, execution_id, seq, data)
SELECT %s, %s, %s, %s, %s, seq, %s FROM e RETURNING seq
"""


def attempt(execution: Execution, key: str = "first") -> StepAttempt:
    """A first attempt of a step, with nothing written yet."""
    step = execution.steps.get(key=key)
    made = StepAttempt(id=uuid.uuid4(), step=step, number=1, spool="here", boot_id="now")
    made.save(force_insert=True)
    return made


def write(execution: Execution, to: StepAttempt, offset: int, data: bytes) -> int:
    """Store a piece of output; returns its position."""
    values = [execution.pk, to.pk, offset, len(data), offset + len(data), execution.pk]
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [*values, zstandard.compress(data)])
        seq = int(cursor.fetchone()[0])
    announce(execution.pk, seq)
    return seq


def note(execution: Execution, text: str) -> int:
    """Add a note, as a person does; returns its position."""
    seq = Hand(execution.pk).change("note", {"text": text})
    announce(execution.pk, seq)
    return seq
