"""Closing an execution: the items of the list after its end."""

from datetime import UTC
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.executions import checklists, closing
from cvdops.executions.hints import announce
from cvdops.executions.models import ChecklistMark, Closing, Execution
from cvdops.executions.queries import get_execution, matter
from cvdops.executions.transitions import Hand
from cvdops.lib.errors import Conflict, Invalid, NotFound, Problem
from cvdops.notifications import services as notifications

MAX_COMMENT = 2000  # characters


def close_item(user: User, execution_id: UUID | str, position: int, comment: str = "") -> None:
    """Confirm an item of the list after the end; the last one closes the execution.

    Raises NotFound also where there is no item, Refused, Conflict, Invalid.
    """
    execution = get_execution(user, execution_id)
    can(user, Action.CLOSE, matter(execution)).enforce()
    with transaction.atomic():
        # The row first, like every verb: between two who confirm the last items one has to be second.
        Execution.objects.select_for_update().only("pk").get(pk=execution.pk)
        after = _laid_out(execution)
        evidence = comment.strip()[:MAX_COMMENT]
        if position == checklists.MONITORING:
            _refuse_unseen(after, evidence)
        mark = ChecklistMark.objects.filter(
            execution=execution, moment=ChecklistMark.Moment.AFTER, position=position
        )
        if not mark.exists():
            raise NotFound("item")
        unsaid = mark.filter(confirmed_at__isnull=True)
        if not unsaid.update(confirmed_by=user, confirmed_at=Now(), evidence=evidence):
            raise Conflict("This item is confirmed already.", "It is confirmed already")
        if position == checklists.MONITORING:
            notifications.settle([f"health:{execution.pk}"])
        hand = Hand(execution.pk, actor=user)
        data = {"position": position, "comment": evidence}
        announce(execution.pk, hand.change("checklist.after", data))
        record(user, Action.CLOSE, "execution", execution.pk, data={"verb": "close_item", **data})
        closing.close(execution, hand)


def _laid_out(execution: Execution) -> Closing:
    """What comes after the end that the execution has now. Raises Conflict while it has none."""
    found = Closing.objects.filter(execution=execution, execution__finished_at=F("ended_at"))
    closing = found.first()
    if closing is None:
        raise Conflict("The list after the end opens when the execution has ended.")
    return closing


def _refuse_unseen(after: Closing, comment: str) -> None:
    """Nobody confirms what the portal is about to see, nor without a word what it saw going wrong."""
    if after.watched_until and after.watching:
        until = f"{after.watched_until.astimezone(UTC):%H:%M} UTC"
        raise Conflict(f"The portal watches the environment until {until}, and confirms it then.")
    if not comment:
        saw = after.health_text or "The environment has no health endpoint."
        raise Invalid([Problem("comment", f"{saw} Write what you saw and did about it.")])
