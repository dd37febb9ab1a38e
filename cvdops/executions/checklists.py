"""The checklists of the mission: eight items before a start, six after the end."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from django.db.models.functions import Now

from cvdops.accounts.models import User
from cvdops.executions.models import ChecklistMark, Execution
from cvdops.lib.errors import Problem


@dataclass(frozen=True, slots=True)
class ChecklistDraft:
    """An item before it is confirmed. With evidence the portal has verified it itself.

    A doubt is what the portal found when it looked and could not verify it: a person then decides.
    """

    text: str
    evidence: str = ""
    doubt: str = ""


CURRENT = "Documentation: runbook version is current"
VERIFICATION, DOCUMENTATION, MONITORING = 0, 1, 3  # the places of those that the portal can verify
AFTER = (
    "Verification: all verification steps completed successfully",
    "Documentation: execution log updated with outcomes",
    "Communication: stakeholders notified of completion",
    "Monitoring: increased monitoring for 2 hours post-execution",
    "Lessons learned: document any issues or improvements",
    "Runbook update: update runbook if procedures changed",
)


def missing(
    drafts: Collection[ChecklistDraft], confirmed: Collection[int] | Literal["confirmed"]
) -> list[Problem]:
    """One problem for each item that neither the portal verified nor the person confirmed."""
    if confirmed == "confirmed":
        return []
    return [
        Problem(f"checklist.{position}", f"Confirm before the start: {draft.text}.")
        for position, draft in enumerate(drafts)
        if not draft.evidence and position not in confirmed
    ]


def store(execution: Execution, drafts: Sequence[ChecklistDraft], user: User) -> None:
    """Keep the list before the start: each item verified by the portal or confirmed by this person."""
    ChecklistMark.objects.bulk_create(
        [
            ChecklistMark(
                execution=execution,
                moment=ChecklistMark.Moment.BEFORE,
                position=position,
                text=draft.text,
                confirmed_by=None if draft.evidence else user,
                confirmed_at=Now(),
                evidence=draft.evidence or draft.doubt,
            )
            for position, draft in enumerate(drafts)
        ]
    )
