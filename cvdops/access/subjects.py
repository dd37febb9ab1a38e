"""What can be asked of the policy, and what about. Pure."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cvdops.access.levels import Level
from cvdops.lib.errors import Reason, Refused


class Action(StrEnum):
    """Everything that can be asked for. The value is the name in audit entries and in the API."""

    PUBLIC = "public"  # log in, health
    USE_PORTAL = "portal.use"  # anybody who is logged in
    READ_RUNBOOK = "runbook.read"
    REVIEW_RUNBOOK = "runbook.review"  # that a version is right, by somebody who did not write it
    START = "execution.start"
    READ_EXECUTION = "execution.read"
    READ_ANSWERS = "execution.read_answers"  # what came back to the requests of `http` steps
    NOTE = "execution.note"
    JOIN = "execution.join"  # take part, as an assistant
    SUPERVISE = "execution.supervise"  # somebody who is not certified yet
    ASSIST = "execution.assist"  # confirm a manual step or an item of a checklist while it runs
    CLOSE = "execution.close"  # confirm an item of the list after the end
    CONTROL = "execution.control"  # pause, resume, cancel, retry, roll back, give up
    OVERRIDE = "execution.override"  # skip a step, mark it as done
    HAND_OVER = "execution.hand_over"  # let somebody else go on with it
    DECIDE = "approval.decide"
    DELEGATE = "approval.delegate"  # let somebody else decide for a time
    READ_AUDIT = "audit.read"
    READ_PERMISSIONS = "permissions.read"
    EDIT_SECRETS = "secrets.edit"  # set and remove them; nobody reads them
    EDIT_WINDOWS = "windows.edit"  # maintenance windows and freezes
    HOLD = "hold.set"  # refuse new starts for a time, and lift it again
    EDIT_PERMISSIONS = "permissions.edit"  # the matrix, who holds which role
    DECIDE_CHANGE = "change.decide"  # confirm, refuse, withdraw: what it needs, its kind says
    MANAGE_ACCOUNTS = "accounts.manage"  # who has an account
    KEEP_ACCOUNT = "account.keep"  # one's own: where one is logged in, one's tokens
    EXAMINE = "installation.examine"  # what is wrong with it and how to mend it
    CERTIFY = "certification.grant"
    READ_ENVIRONMENTS = "environments.read"
    EDIT_ENVIRONMENTS = "environments.edit"  # hosts, groups, databases, addresses, variables
    EDIT_CONTACTS = "contacts.edit"  # whom to reach, and the escalation chain
    CONFIRM_ROUTINE = "routine.confirm"  # that what is due regularly was done
    EDIT_TRIGGERS = "triggers.edit"  # by which other systems start something
    CONFIRM_KEY = "host.confirm_key"
    TEST_HOST = "host.test"
    RESET_PRACTICE = "practice.reset"
    SYNC_CATALOG = "catalog.sync"


# The level that an action on a runbook or an execution needs.
NEEDED: dict[Action, Level] = {
    Action.READ_RUNBOOK: Level.REVIEW,
    Action.REVIEW_RUNBOOK: Level.REVIEW,
    Action.READ_EXECUTION: Level.REVIEW,
    Action.READ_ANSWERS: Level.EXECUTE,
    Action.NOTE: Level.ASSIST,
    Action.JOIN: Level.ASSIST,
    Action.ASSIST: Level.ASSIST,
    Action.CLOSE: Level.ASSIST,
    Action.START: Level.EXECUTE,
    Action.CONTROL: Level.EXECUTE,
    Action.SUPERVISE: Level.EXECUTE,
    Action.OVERRIDE: Level.LEAD,
    Action.HAND_OVER: Level.LEAD,
}

UNCATEGORISED = ""  # of a runbook whose document names no category

LOGGED_IN = frozenset(
    {
        Action.USE_PORTAL,
        Action.READ_PERMISSIONS,
        Action.READ_ENVIRONMENTS,
        Action.KEEP_ACCOUNT,
        Action.DECIDE_CHANGE,
        Action.DELEGATE,  # only what they may decide themselves: see `access.delegations`
    }
)


@dataclass(frozen=True, slots=True)
class Matter:
    """What an action on a runbook or an execution is about.

    Without an environment it is about the runbook itself, which is read where it may be read anywhere.
    """

    category: str
    environment: str = ""
    security: bool = False  # a security incident
    runbook: str = ""  # its id, where it is about a start: then windows, freezes and holds count
    read_only: bool = False  # nothing that is to be started changes anything
    emergency: bool = False  # a start as one, outside the windows
    # For those who are not certified yet: whoever does not say how it is gets the narrower answer.
    protected: bool = True  # the environment is production, or like it
    critical: bool = True  # the runbook is for emergencies
    supervised: bool = False  # somebody certified takes part as supervisor
    present: bool = False  # somebody who may execute it takes part


@dataclass(frozen=True, slots=True)
class Gate:
    """What a decision is about. `involved`: person → what they had to do with it, as “asked for it”."""

    matter: Matter
    approvers: frozenset[str]  # slugs of the roles and named groups that may decide
    involved: Mapping[uuid.UUID, str] = field(default_factory=dict)


Subject = Matter | Gate | None


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer of the policy. Refused if there is any reason."""

    reasons: tuple[Reason, ...] = ()

    @property
    def allowed(self) -> bool:
        return not self.reasons

    def enforce(self) -> None:
        """Raise Refused with the reasons, if it is a no."""
        if self.reasons:
            raise Refused(self.reasons)


ALLOWED = Decision()
