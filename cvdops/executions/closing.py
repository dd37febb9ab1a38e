"""The list after the end: laid out by a worker when an execution has ended, closed when it is done.

What the portal can verify it confirms itself; for two hours workers watch the environment's health. An
execution that ends anew, resumed or rolled back, has a new end, and its list begins anew.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from cvdops.audit.log import record
from cvdops.executions import checklists, health, participants
from cvdops.executions.hints import announce
from cvdops.executions.models import ChecklistMark, Closing, Execution, Health, StepRun
from cvdops.executions.plan import from_json
from cvdops.executions.states import ExecutionState, Phase, StepState
from cvdops.executions.transitions import Hand
from cvdops.lib import statements
from cvdops.notifications import addresses
from cvdops.notifications import services as notifications
from cvdops.spec.document import Kind, SectionKind

CLOSED = "execution.closed"
WATCH = "execution.watch"


def due(queues: Sequence[str], limit: int) -> list[UUID]:
    """Executions that have ended and have something due, for workers of these queues: a list to lay out,
    a look at their environment in this minute (by one of those that watch it), a result."""
    with statements.cursor() as cursor:
        cursor.execute(
            """
            WITH watched AS (
              SELECT c.execution_id, c.watched_until, e.environment_id
                FROM executions_closing c JOIN executions_execution e ON e.id = c.execution_id
               WHERE c.health = '' AND c.watched_until IS NOT NULL
                 AND e.finished_at = c.ended_at AND 'env.' || e.environment_id = ANY(%(queues)s)
            )
            SELECT e.id FROM executions_execution e
             WHERE e.finished_at > statement_timestamp() - interval '7 days'
               AND e.parent_id IS NULL AND 'env.' || e.environment_id = ANY(%(queues)s)
               AND NOT EXISTS (SELECT FROM executions_closing c
                                WHERE c.execution_id = e.id AND c.ended_at = e.finished_at)
               AND EXISTS (SELECT FROM executions_steprun s
                            WHERE s.execution_id = e.id AND s.started_at IS NOT NULL
                              AND s.kind <> %(approval)s)
             UNION
            SELECT execution_id FROM watched WHERE watched_until <= statement_timestamp()
             UNION
            SELECT first FROM (
              SELECT DISTINCT ON (environment_id) execution_id AS first FROM watched w
               WHERE watched_until > statement_timestamp()
                 AND NOT EXISTS (SELECT FROM executions_healthsample h
                                  WHERE h.environment_id = w.environment_id
                                    AND h.minute = date_trunc('minute', statement_timestamp()))
            ) AS looks
             LIMIT %(limit)s
            """,
            {"queues": list(queues), "approval": Kind.APPROVAL, "limit": limit},
        )
        return [execution for (execution,) in cursor.fetchall()]


def look(execution_id: UUID) -> None:
    """Do what is due after the end of an execution. By any worker, any number of times."""
    begin(execution_id)
    watched = Closing.objects.select_related("execution__environment").filter(
        execution=execution_id, execution__finished_at=F("ended_at"), health=""
    )
    closing = watched.exclude(watched_until=None).annotate(now=Now()).first()
    if closing is None or closing.watched_until is None:
        return
    if closing.now < closing.watched_until:
        health.take(closing.execution.environment)
    else:
        _conclude(closing)


def _announce_end(execution: Execution) -> None:
    """Tell the channels how work in a protected environment, or an emergency, has ended; not which it was."""
    plan = from_json(Execution.objects.values_list("plan", flat=True).get(pk=execution.pk))
    if not plan.emergency and not (execution.environment.protected and plan.changes):
        return
    ended_at = execution.finished_at.isoformat() if execution.finished_at else ""
    notifications.announce(
        key=f"ended:{execution.pk}:{ended_at}",
        text=f"Execution {execution} in {execution.environment_id} has ended: {execution.look.label.lower()}.",
        path=addresses.execution(execution.pk),
    )


def _conclude(closing: Closing) -> None:
    """Record how the environment was while it was watched; if it was well, that confirms the item."""
    minutes = int(health.WATCHED.total_seconds() // 60)
    found = health.judge(health.samples(closing), minutes)
    with transaction.atomic():
        execution = Execution.objects.select_for_update().defer("plan").get(pk=closing.execution_id)
        mine = Closing.objects.filter(execution=execution, ended_at=closing.ended_at, health="")
        if execution.finished_at != closing.ended_at or not mine.update(
            health=found.outcome, health_text=found.text
        ):
            return
        hand = Hand(execution.pk)
        data = {"health": found.outcome, "text": found.text}
        announce(execution.pk, hand.change("health.result", data))
        record(None, WATCH, "execution", execution.pk, data=data)
        if found.outcome == Health.OK:
            verify(execution, checklists.MONITORING, found.text)
            close(execution, hand)
            return
        notifications.tell(
            [participants.operator(execution.pk).user],
            subject=f"health:{execution.pk}",
            key=f"health:{execution.pk}:{closing.ended_at.isoformat()}",
            text=f"After {execution.runbook.title} {execution}, {execution.environment_id} was "
            f"{found.outcome.label.lower()}. {found.text} Write what was done about it.",
            path=addresses.execution(execution.pk),
        )


def begin(execution_id: UUID) -> None:
    """Lay the list out for the end that the execution has now. Once, whoever is asked how often."""
    with transaction.atomic():
        execution = Execution.objects.select_for_update().defer("plan").get(pk=execution_id)
        ended_at = execution.finished_at
        if ended_at is None:
            return
        if Closing.objects.filter(execution=execution, ended_at=ended_at).exists():
            return
        watched_until = ended_at + health.WATCHED if execution.environment.health_url else None
        afresh = {
            "closed_at": None,
            "health": "",
            "health_text": "",
            "watched_until": watched_until,
        }
        Closing.objects.update_or_create(
            execution=execution, defaults={"ended_at": ended_at, **afresh}
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
        _announce_end(execution)


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
    announce(execution.pk, hand.change(CLOSED))
    record(hand.actor, CLOSED, "execution", execution.pk)
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
    return f"the log has {steps} with output and times, and the end: {execution.look.label.lower()}"
