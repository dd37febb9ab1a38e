"""Closing an execution: the items of the list after its end."""

from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.executions import closing
from cvdops.executions.hints import announce
from cvdops.executions.models import ChecklistMark, Closing, Execution
from cvdops.executions.queries import get_execution, matter
from cvdops.executions.transitions import Hand
from cvdops.lib.errors import Conflict

MAX_COMMENT = 2000  # characters


def close_item(user: User, execution_id: UUID | str, position: int, comment: str = "") -> None:
    """Confirm an item of the list after the end; the last one closes the execution."""
    execution = get_execution(user, execution_id)
    can(user, Action.ASSIST, matter(execution)).enforce()
    with transaction.atomic():
        # The row first, like every verb: between two who confirm the last items one has to be second.
        Execution.objects.select_for_update().only("pk").get(pk=execution.pk)
        if not _laid_out(execution):
            raise Conflict("The list after the end opens when the execution has ended.")
        mark = ChecklistMark.objects.filter(
            execution=execution,
            moment=ChecklistMark.Moment.AFTER,
            position=position,
            confirmed_at__isnull=True,
        )
        evidence = comment.strip()[:MAX_COMMENT]
        if not mark.update(confirmed_by=user, confirmed_at=Now(), evidence=evidence):
            raise Conflict("This item is confirmed already, or there is none at this place.")
        hand = Hand(execution.pk, actor=user)
        data = {"position": position, "comment": evidence}
        announce(execution.pk, hand.change("checklist.after", data))
        record(user, Action.ASSIST, "execution", execution.pk, data={"verb": "close_item", **data})
        closing.close(execution, hand)


def _laid_out(execution: Execution) -> bool:
    ended = Closing.objects.filter(execution=execution, execution__finished_at=F("ended_at"))
    return ended.exists()
