"""The list after the end: laid out by a worker when an execution has ended, closed when it is done.

What the portal can verify it confirms itself. An execution that ends anew, resumed or rolled back, has a
new end, and its list begins anew.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from cvdops.audit.log import record
from cvdops.executions import checklists
from cvdops.executions.hints import announce
from cvdops.executions.models import ChecklistMark, Closing, Execution, StepRun
from cvdops.executions.states import ExecutionState, Phase, StepState
from cvdops.executions.transitions import Hand
from cvdops.spec.document import Kind, SectionKind

CLOSE = "execution.close"


def due(queues: Sequence[str], limit: int) -> list[UUID]:
    """Executions in which something was done, whose end has no list yet, for workers of these queues."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT e.id FROM executions_execution e
             WHERE e.finished_at > statement_timestamp() - interval '7 days'
               AND e.parent_id IS NULL AND 'env.' || e.environment_id = ANY(%s)
               AND NOT EXISTS (SELECT FROM executions_closing c
                                WHERE c.execution_id = e.id AND c.ended_at = e.finished_at)
               AND EXISTS (SELECT FROM executions_steprun s
                            WHERE s.execution_id = e.id AND s.started_at IS NOT NULL
                              AND s.kind <> %s)
             ORDER BY e.id LIMIT %s
            """,
            [list(queues), Kind.APPROVAL, limit],
        )
        return [execution for (execution,) in cursor.fetchall()]


def begin(execution_id: UUID) -> None:
    """Lay the list out for the end that the execution has now. Once, whoever is asked how often."""
    with transaction.atomic():
        execution = Execution.objects.select_for_update().defer("plan").get(pk=execution_id)
        ended_at = execution.finished_at
        if ended_at is None:
            return
        if Closing.objects.filter(execution=execution, ended_at=ended_at).exists():
            return
        Closing.objects.update_or_create(
            execution=execution, defaults={"ended_at": ended_at, "closed_at": None}
        )
        _after(execution).delete()
        ChecklistMark.objects.bulk_create(
            [
                ChecklistMark(
                    execution=execution,
                    moment=ChecklistMark.Moment.AFTER,
                    position=position,
                    text=text,
                )
                for position, text in enumerate(checklists.AFTER)
            ]
        )
        verify(execution, checklists.VERIFICATION, verification(execution))
        verify(execution, checklists.DOCUMENTATION, documentation(execution))
        announce(execution.pk, Hand(execution.pk).change("closing.begin"))


def verify(execution: Execution, position: int, evidence: str) -> None:
    """The portal confirms an item of the list that is open; without evidence it leaves it to people."""
    if evidence:
        open_one = _after(execution).filter(position=position, confirmed_at=None)
        open_one.update(confirmed_at=Now(), evidence=evidence)


def close(execution: Execution, hand: Hand) -> bool:
    """Close it if nothing of its list is left. Inside the transaction that confirmed an item."""
    if _after(execution).filter(confirmed_at=None).exists():
        return False
    if not Closing.objects.filter(execution=execution, closed_at=None).update(closed_at=Now()):
        return False
    announce(execution.pk, hand.change(CLOSE))
    record(hand.actor, CLOSE, "execution", execution.pk)
    return True


def _after(execution: Execution) -> QuerySet[ChecklistMark]:
    return ChecklistMark.objects.filter(execution=execution, moment=ChecklistMark.Moment.AFTER)


def verification(execution: Execution) -> str:
    """The sentence that proves that everything was verified; empty if it was not."""
    steps = StepRun.objects.filter(execution=execution, phase=Phase.FORWARD)
    states = list(steps.filter(section=SectionKind.VERIFICATION).values_list("state", flat=True))
    if execution.state != ExecutionState.SUCCEEDED or set(states) != {StepState.SUCCEEDED}:
        return ""
    passed = len(states)
    return f"{passed} verification step{'s' if passed != 1 else ''} succeeded"


def documentation(execution: Execution) -> str:
    """What the portal has recorded of it by itself."""
    begun = StepRun.objects.filter(execution=execution, started_at__isnull=False).count()
    steps = f"{begun} step{'s' if begun != 1 else ''}"
    return f"recorded by the portal: {steps} with output and times, {execution.look.label.lower()}"
