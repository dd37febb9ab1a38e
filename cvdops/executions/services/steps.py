"""What people do with single steps, and their notes."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.executions import context, participants, rollback, stops, validity, vouched
from cvdops.executions.hints import announce, wake
from cvdops.executions.models import ChecklistMark, Execution, StepRun
from cvdops.executions.queries import get_execution, get_step, matter, planned
from cvdops.executions.services.batches import refuse_out_of_turn
from cvdops.executions.services.effect import (
    one_effect,
    refuse_changed,
    refuse_over,
    refuse_stale,
)
from cvdops.executions.states import ExecutionEvent, ExecutionState, Phase, StepEvent
from cvdops.executions.transitions import AFRESH, Also, DatabaseNow, Hand, Merge, Superseded
from cvdops.lib.errors import Conflict, Invalid, Problem


def retry(
    user: User,
    execution_id: UUID | str,
    step_id: UUID | str,
    comment: str = "",
    seen: str = "",
) -> None:
    """Run a step again that did not succeed."""
    _settle_step(user, execution_id, step_id, StepEvent.RETRY, Action.CONTROL, comment, seen)


def skip(
    user: User,
    execution_id: UUID | str,
    step_id: UUID | str,
    comment: str = "",
    seen: str = "",
) -> None:
    """Go on without a step that did not succeed. Needs a Lead and a reason."""
    _settle_step(user, execution_id, step_id, StepEvent.SKIP, Action.OVERRIDE, comment, seen)


def settle(
    user: User,
    execution_id: UUID | str,
    step_id: UUID | str,
    comment: str = "",
    seen: str = "",
) -> None:
    """Mark a step as done that was done by hand. Needs a Lead and a reason."""
    _settle_step(user, execution_id, step_id, StepEvent.SETTLE, Action.OVERRIDE, comment, seen)


def _settle_step(
    user: User,
    execution_id: UUID | str,
    step_id: UUID | str,
    event: StepEvent,
    action: Action,
    comment: str,
    seen: str,
) -> None:
    execution = get_execution(user, execution_id)
    step = get_step(execution, step_id)
    can(user, action, matter(execution)).enforce()
    if action is Action.OVERRIDE and not comment.strip():
        raise Invalid([Problem("comment", f"Say why you {event} “{step.title}”.")])
    refuse_changed(execution)
    refuse_out_of_turn(execution, step, event)
    if step.unconfirmed:
        if event is not StepEvent.SETTLE:
            raise Conflict(f"“{step.title}” may still be running: wait, or settle it.")
        # a Lead vouches for it now
        event = stops.asked_for(step, execution.intent, execution.phase)
    notes = {
        StepEvent.CANCEL: f"Settled by {user.name}: {comment.strip()}",
        StepEvent.TIME_OUT: f"Its time was up. Settled by {user.name}: {comment.strip()}",
        StepEvent.RETRY: "",
        StepEvent.SKIP: vouched.note(StepEvent.SKIP, user.name, comment),
        StepEvent.SETTLE: vouched.note(StepEvent.SETTLE, user.name, comment),
    }
    with one_effect(execution, step), transaction.atomic():
        refuse_stale(execution, seen)
        if not step.unconfirmed:
            refuse_over(execution, step.phase)
        hand = Hand(execution.pk, actor=user)
        if vouched.is_needed(step, event):
            vouched.give(hand, step, event, comment)
        else:
            _move(hand, execution, step, event, comment, notes[event])
            record(user, action, "execution", execution.pk, data={"verb": event, "step": step.key})
        validity.hold_or_ask_anew(execution, hand, resumed=True)
        announce(execution.pk, hand.move(ExecutionEvent.READY, waiting_for={}, lost_leases=0))
        wake(execution.pk, execution.environment.queue)


def _move(
    hand: Hand, execution: Execution, step: StepRun, event: StepEvent, comment: str, note: str
) -> None:
    fields: dict[str, Any] = {"tries": 0, "note": note, "unconfirmed": False}
    fields |= AFRESH if event is StepEvent.RETRY else {}
    also = _looked_at_later(step) if step.unconfirmed else None
    hand.step(step.pk, event, {"comment": comment}, also=also, **fields)
    if event is StepEvent.SETTLE and step.phase == Phase.ROLLBACK:
        rollback.mark_undone(planned(execution), step)


def _looked_at_later(step: StepRun) -> Also:
    """A Lead vouches for it: what there is of it is seen as soon as its host answers again."""
    return Also(
        """
        UPDATE executions_stepattempt SET clean_at = statement_timestamp()
          FROM s WHERE step_id = s.id AND number = %s AND spool <> ''
        """,
        (step.attempt_count,),
    )


def confirm(
    user: User,
    execution_id: UUID | str,
    step_id: UUID | str,
    positions: Collection[int],
    comment: str = "",
) -> None:
    """Confirm items of a manual step or a checklist; the last one lets the execution go on."""
    execution = get_execution(user, execution_id)
    step = get_step(execution, step_id)
    can(user, Action.ASSIST, matter(execution)).enforce()
    if not positions:
        raise Invalid([Problem("items", "Choose at least one item to confirm.")])
    known = set(ChecklistMark.objects.filter(step=step).values_list("position", flat=True))
    if known and (unknown := set(positions) - known):
        text = ", ".join(str(position + 1) for position in sorted(unknown))
        raise Invalid([Problem("items", f"“{step.title}” has no item {text}.")])
    with one_effect(execution, step), transaction.atomic():
        hand = Hand(execution.pk, actor=user)
        data = {"items": sorted(positions), "comment": comment}
        seq = hand.change("step.confirm", data, step.pk, states=frozenset({ExecutionState.WAITING}))
        marks = ChecklistMark.objects.filter(step=step, confirmed_at__isnull=True)
        if not marks.filter(position__in=positions).update(
            confirmed_by=user, confirmed_at=Now(), evidence=comment.strip()
        ):
            raise Superseded
        if not marks.exists():
            kept = _captured(execution, step, comment)
            seq = hand.step(
                step.pk,
                StepEvent.SUCCEED,
                execution=kept,
                note=comment.strip(),
                finished_at=DatabaseNow,
            )
            seq = hand.move(ExecutionEvent.READY, waiting_for={})
            wake(execution.pk, execution.environment.queue)
        if not any(p.user == user for p in participants.here(execution.pk)):
            participants.enter(execution.pk, user, participants.Part.ASSISTANT)
        announce(execution.pk, seq)
        record(user, Action.ASSIST, "execution", execution.pk, data={"step": step.key, **data})


def _captured(execution: Execution, step: StepRun, note: str) -> dict[str, Merge]:
    """The execution's fields with the variable that the note becomes, if the document says so.

    For the steps of every host: the value that one of them had before is not the newest any more.
    """
    name = planned(execution).step(step.key).step.attributes.capture
    if not name:
        return {}
    value = note.replace("\0", "").strip()
    if not value:
        text = (
            f"The note becomes the variable {name} for the steps after this one: write its value."
        )
        raise Invalid([Problem("comment", text)])
    execution.refresh_from_db(fields=["session"])  # as it is now that the row is locked
    former = context.without(execution.session, name)
    session = former.get("", execution.session.get("", {}))
    secrets = context.secrets(execution)
    return {
        "session": Merge({**former, "": context.after(session, {}, {name: value}, "", secrets)})
    }


def note(user: User, execution_id: UUID | str, text: str) -> None:
    """Add a note to the timeline."""
    execution = get_execution(user, execution_id)
    can(user, Action.NOTE, matter(execution)).enforce()
    if not text.strip():
        raise Invalid([Problem("text", "Write something first.")])
    if len(text) > 4000:
        raise Invalid([Problem("text", "A note has at most 4,000 characters.")])
    with transaction.atomic():
        seq = Hand(execution.pk, actor=user).change("note", {"text": text.strip()})
        announce(execution.pk, seq)
        record(user, Action.NOTE, "execution", execution.pk)
