"""The verbs: everything that a person may do to an execution.

Each is one transaction, allowed by the policy, recorded in the audit log, and has one effect however
often its button is pressed.
"""

from cvdops.executions.services.certifying import certify
from cvdops.executions.services.closing import close_item
from cvdops.executions.services.control import (
    cancel,
    give_up,
    pause,
    resume,
    roll_back,
    undone_by,
)
from cvdops.executions.services.deciding import decide, renew
from cvdops.executions.services.participating import hand_over, join, leave
from cvdops.executions.services.resuming import plan_resume, resume_from
from cvdops.executions.services.starting import preview, start
from cvdops.executions.services.steps import confirm, note, retry, settle, skip
from cvdops.executions.services.trying import dry_run

__all__ = [
    "cancel",
    "certify",
    "close_item",
    "confirm",
    "decide",
    "dry_run",
    "give_up",
    "hand_over",
    "join",
    "leave",
    "note",
    "pause",
    "plan_resume",
    "preview",
    "renew",
    "resume",
    "resume_from",
    "retry",
    "roll_back",
    "settle",
    "skip",
    "start",
    "undone_by",
]
