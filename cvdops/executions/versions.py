"""Which version of a runbook runs: the newest that can be executed, or one that somebody chose."""

from cvdops.catalog.models import Runbook, RunbookVersion
from cvdops.executions import checklists
from cvdops.executions.checklists import ChecklistDraft
from cvdops.lib.errors import Invalid, NotFound, Problem


def executable_version(runbook: Runbook, number: int | None) -> RunbookVersion:
    """The version with this number, else the newest that can be executed. Raises NotFound, Invalid."""
    if runbook.removed_at is not None:
        message = (
            f"{runbook.title} is no longer in the source of the runbooks: nothing of it starts."
        )
        raise Invalid([Problem("runbook", message)])
    if number is None:
        if runbook.current is None:
            message = f"{runbook.title} has no version that can be executed."
            raise Invalid([Problem("runbook", message)])
        return runbook.current
    version = runbook.versions.filter(number=number).defer("source").first()
    if version is None:
        raise NotFound("version")
    if not version.executable:
        message = f"Version {called(version)} has errors and cannot be executed. Choose another."
        raise Invalid([Problem("runbook", message)])
    return version


def called(version: RunbookVersion) -> str:
    """The version as a sentence names it; two may have the same label."""
    number = f"number {version.number}"
    return f"{version.label} ({number})" if version.label else number


def currency(runbook: Runbook, chosen: RunbookVersion) -> ChecklistDraft:
    """The item about the version: verified if it is the newest, else for a person to confirm."""
    if chosen == runbook.newest:
        name = chosen.label or str(chosen.number)
        return ChecklistDraft(checklists.CURRENT, f"version {name} is the newest")
    if runbook.current is None or chosen == runbook.current:
        return ChecklistDraft(checklists.CURRENT)
    return ChecklistDraft(
        f"Documentation: version {called(chosen)} is meant, not the newest, {called(runbook.current)}"
    )
