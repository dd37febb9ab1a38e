"""The checklists of the mission: eight items before a start, six after the end."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from django.db.models.functions import Now

from cvdops.accounts.models import User
from cvdops.executions.models import ChecklistMark, Execution
from cvdops.lib.errors import Problem


@dataclass(frozen=True, slots=True)
class ChecklistDraft:
    """An item before it is confirmed. With evidence the portal has verified it itself."""

    text: str
    evidence: str = ""


CURRENT = "Documentation: runbook version is current"
AFTER = (
    "Verification: all verification steps completed successfully",
    "Documentation: execution log updated with outcomes",
    "Communication: stakeholders notified of completion",
    "Monitoring: increased monitoring for 2 hours post-execution",
    "Lessons learned: document any issues or improvements",
    "Runbook update: update runbook if procedures changed",
)


def before(
    *, gates: int, environment: str, undo: int, documentation: ChecklistDraft
) -> tuple[ChecklistDraft, ...]:
    """The items before a start; what the portal can verify, it has. The last is about the version."""
    approvals = f"{gates} approval gate{'s' if gates != 1 else ''} in this plan"
    return (
        ChecklistDraft("Authorization: proper approval obtained if required", approvals)
        if gates
        else ChecklistDraft("Authorization: proper approval obtained if required"),
        ChecklistDraft("Backup: recent backup verified and available"),
        ChecklistDraft("Communication: stakeholders notified if downtime expected"),
        ChecklistDraft("Tools: all required tools and access available"),
        ChecklistDraft(
            "Environment: confirmed working in correct environment", f"you chose {environment}"
        ),
        ChecklistDraft(
            "Rollback plan: rollback procedure understood and available",
            f"{undo} rollback step{'s' if undo != 1 else ''} in this plan" if undo else "",
        ),
        ChecklistDraft("Team: required team members available"),
        documentation,
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


def store(execution: Execution, drafts: Collection[ChecklistDraft], user: User) -> None:
    """Keep the list before the start as confirmed, and lay out the one after the end."""
    marks = [
        ChecklistMark(
            execution=execution,
            moment=ChecklistMark.Moment.BEFORE,
            position=position,
            text=draft.text,
            confirmed_by=user,
            confirmed_at=Now(),
            evidence=draft.evidence,
        )
        for position, draft in enumerate(drafts)
    ]
    marks += [
        ChecklistMark(
            execution=execution, moment=ChecklistMark.Moment.AFTER, position=position, text=text
        )
        for position, text in enumerate(AFTER)
    ]
    ChecklistMark.objects.bulk_create(marks)
