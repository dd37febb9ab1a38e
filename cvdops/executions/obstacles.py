"""What stands in the way of a plan, whoever starts it: a full disk, other runbooks, what cannot be run."""

from collections.abc import Sequence

from django.conf import settings

from cvdops.catalog.models import Runbook, RunbookVersion
from cvdops.executions.plan import EXECUTABLE
from cvdops.lib import disk
from cvdops.lib.errors import Problem
from cvdops.spec.document import Runbook as Document
from cvdops.spec.document import Step


def obstacles(
    runbook: Runbook, version: RunbookVersion, doc: Document, steps: Sequence[Step]
) -> list[Problem]:
    """Everything that stands in the way of running these steps of this version."""
    return [*_between(runbook, version), *_of_steps(doc, steps), *_room()]


def _room() -> list[Problem]:
    """A disk that is nearly full is for what runs already."""
    least = min(disk.free(settings.DATA_DIR), disk.free(settings.SPOOL_DIR))
    if least >= settings.DISK_RESERVE:
        return []
    text = (
        f"The portal's disk has only {least} MB left, and {settings.DISK_RESERVE} MB are kept for "
        "what runs. Ask whoever operates the portal to make room, then start again."
    )
    return [Problem("runbook", text)]


def _between(runbook: Runbook, chosen: RunbookVersion) -> list[Problem]:
    """What other runbooks, as they are now, put in the way of the version that runs."""
    if chosen != runbook.current:
        return []
    return [Problem("runbook", f"Line {o['line']}: {o['message']}") for o in runbook.obstacles]


def _of_steps(doc: Document, steps: Sequence[Step]) -> list[Problem]:
    problems = []
    if not doc.executable:
        problems.append(Problem("runbook", "This version has errors and cannot be executed."))
    for step in steps:
        if step.kind not in EXECUTABLE:
            text = f"“{step.title}” is a {step.kind} step, which cannot be run yet."
            problems.append(Problem("runbook", text))
    return problems
