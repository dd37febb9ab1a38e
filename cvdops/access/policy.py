"""The one place that says who may do what. Pages, API and commands ask it, and it explains itself."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, QuerySet, Value

from cvdops.access.levels import Level
from cvdops.access.models import MatrixCell, Role, RoleGrant
from cvdops.accounts.models import User
from cvdops.lib.errors import Reason, Refused
from cvdops.spec.document import Category


class Action(StrEnum):
    """Everything that can be asked for. The value is the name in audit entries and in the API."""

    PUBLIC = "public"  # log in, health
    USE_PORTAL = "portal.use"  # anybody who is logged in
    READ_RUNBOOK = "runbook.read"
    REVIEW_RUNBOOK = "runbook.review"  # that a version is right, by somebody who did not write it
    START = "execution.start"
    READ_EXECUTION = "execution.read"
    NOTE = "execution.note"
    ASSIST = "execution.assist"  # confirm a manual step or a checklist item
    CONTROL = "execution.control"  # pause, resume, cancel, retry, roll back, give up
    OVERRIDE = "execution.override"  # skip a step, mark it as done
    DECIDE = "approval.decide"
    READ_AUDIT = "audit.read"
    READ_PERMISSIONS = "permissions.read"
    EDIT_WINDOWS = "windows.edit"  # maintenance windows and freezes
    HOLD = "hold.set"  # refuse new starts for a time, and lift it again
    EDIT_PERMISSIONS = "permissions.edit"  # the matrix, who holds which role
    READ_ENVIRONMENTS = "environments.read"
    EDIT_ENVIRONMENTS = "environments.edit"  # hosts, groups, databases, allowed addresses
    CONFIRM_KEY = "host.confirm_key"
    TEST_HOST = "host.test"
    RESET_PRACTICE = "practice.reset"
    SYNC_CATALOG = "catalog.sync"


# The level that an action on a runbook or an execution needs.
NEEDED: dict[Action, Level] = {
    Action.READ_RUNBOOK: Level.REVIEW,
    Action.REVIEW_RUNBOOK: Level.REVIEW,
    Action.READ_EXECUTION: Level.REVIEW,
    Action.NOTE: Level.ASSIST,
    Action.ASSIST: Level.ASSIST,
    Action.START: Level.EXECUTE,
    Action.CONTROL: Level.EXECUTE,
    Action.OVERRIDE: Level.LEAD,
}

UNCATEGORISED = ""  # of a runbook whose document names no category

LOGGED_IN = frozenset({Action.USE_PORTAL, Action.READ_PERMISSIONS, Action.READ_ENVIRONMENTS})

# What administrators and those who lead may do, and what anybody else is told.
_FOR_EDITORS: dict[Action, str] = {
    Action.EDIT_ENVIRONMENTS: "Changing environments is for administrators and Operations Leads.",
    Action.EDIT_WINDOWS: "Changing windows and freezes is for administrators and Operations Leads.",
    Action.HOLD: "Holds are for administrators and Operations Leads.",
    Action.EDIT_PERMISSIONS: "Changing permissions is for administrators and Operations Leads.",
    Action.CONFIRM_KEY: "Confirming host keys is for administrators and Operations Leads.",
}


@dataclass(frozen=True, slots=True)
class Matter:
    """What an action on a runbook or an execution is about."""

    category: str
    environment: str = ""
    security: bool = False  # a security incident


@dataclass(frozen=True, slots=True)
class Gate:
    """What a decision is about. `involved` are the persons who asked for it or run it."""

    matter: Matter
    approvers: frozenset[str]  # slugs of the roles that may decide
    involved: frozenset[uuid.UUID] = field(default_factory=frozenset)


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
Subject = Matter | Gate | None


def can(user: User | AnonymousUser, action: Action, subject: Subject = None) -> Decision:
    """May this person do this now? Asked anew each time: nobody's rights are kept."""
    if action is Action.PUBLIC:
        return ALLOWED
    if not isinstance(user, User) or not user.is_active:
        return _no("login", "You are not logged in.", "Log in.")
    if action in LOGGED_IN:
        return ALLOWED
    if action in NEEDED:
        if not isinstance(subject, Matter):
            raise TypeError(f"{action} needs a Matter, not {subject!r}.")
        return _by_level(user, action, subject)
    if action is Action.DECIDE:
        if not isinstance(subject, Gate):
            raise TypeError(f"{action} needs a Gate, not {subject!r}.")
        return _decide(user, subject)
    return _by_role(user, action)


def levels(user: User, environment: str = "", *, security: bool = False) -> dict[str, Level]:
    """Category → the level that this person has there now; the highest of all roles counts.

    A runbook without a category can be any of them: it is read by who may read all, and nobody may do more.
    """
    found = dict.fromkeys((category.value for category in Category), Level.NONE)
    grants = RoleGrant.objects.in_force().filter(user=user).for_environment(environment)
    cells = MatrixCell.objects.filter(role__in=grants.values("role"))
    for category, value, leads in cells.values_list("category", "level", "role__leads"):
        level = Level(value).effective(security=security)
        if leads and level is Level.EXECUTE:
            level = Level.LEAD
        found[category] = max(found[category], level)
    return found | {UNCATEGORISED: min(Level.REVIEW, *found.values())}


def visible_categories(user: User) -> QuerySet[MatrixCell, str]:
    """The categories whose runbooks exist for this person, in any environment: a part of a query."""
    grants = RoleGrant.objects.in_force().filter(user=user)
    cells = MatrixCell.objects.filter(role__in=grants.values("role"), level__gte=Level.REVIEW)
    return cells.values_list("category", flat=True)


def readable_categories(user: User) -> QuerySet[MatrixCell, str]:
    """The same for the documents themselves: with the empty category, for who sees all the others."""
    seen = visible_categories(user)
    all_of_them = seen.order_by().annotate(none=Value(UNCATEGORISED)).values("none")
    counted = all_of_them.annotate(seen=Count("category", distinct=True))
    return seen.union(counted.filter(seen=len(Category)).values_list("none", flat=True))


def roles(user: User, environment: str = "") -> frozenset[str]:
    """The slugs of the roles that this person holds now."""
    grants = RoleGrant.objects.in_force().filter(user=user).for_environment(environment)
    return frozenset(grants.values_list("role_id", flat=True))


def held_roles(user: User) -> list[Role]:
    """The roles that this person holds everywhere now."""
    grants = RoleGrant.objects.in_force().filter(user=user).for_environment("")
    return list(Role.objects.filter(pk__in=grants.values("role")))


def reads_audit(held: Iterable[Role]) -> bool:
    """Whether one of these roles lets its holder read the audit log."""
    return any(role.reads_audit for role in held)


def _no(code: str, text: str, remedy: str = "") -> Decision:
    return Decision((Reason(code, text, remedy),))


def each(user: User, actions: Iterable[Action], matter: Matter) -> dict[Action, Decision]:
    """`can`, for several actions on the same matter: the rights are read once."""
    if not user.is_active:
        return {action: can(user, action, matter) for action in actions}
    has = levels(user, matter.environment, security=matter.security)[matter.category]
    return {action: _compared(action, matter, has) for action in actions}


def _by_level(user: User, action: Action, matter: Matter) -> Decision:
    if not matter.environment and NEEDED[action] is Level.REVIEW:
        has = Level.REVIEW if matter.category in readable_categories(user) else Level.NONE
    else:
        has = levels(user, matter.environment, security=matter.security)[matter.category]
    return _compared(action, matter, has)


def _compared(action: Action, matter: Matter, has: Level) -> Decision:
    needed = NEEDED[action]
    if has >= needed:
        return ALLOWED
    where = f" in {matter.environment}" if matter.environment else ""
    what = matter.category or "runbooks without a category"
    return _no(
        "matrix",
        f"This needs {needed.label} on {what}{where}; you have {has.label}.",
        f"Ask somebody with {needed.label} on {what}, or an Operations Lead for the role.",
    )


def may_decide(user: User, gates: Iterable[Gate]) -> list[bool]:
    """`can` decide, for many gates: one query for each environment, and no reasons."""
    held: dict[str, frozenset[str]] = {}
    answers = []
    for gate in gates:
        environment = gate.matter.environment
        if environment not in held:
            held[environment] = roles(user, environment)
        is_approver = bool(held[environment] & gate.approvers)
        answers.append(user.is_active and is_approver and user.person not in gate.involved)
    return answers


def _decide(user: User, gate: Gate) -> Decision:
    reasons = []
    if user.person in gate.involved:
        reasons.append(
            Reason(
                "separation",
                "You asked for this or run it: nobody approves their own request.",
                "Somebody else of the approvers has to decide.",
            )
        )
    if not roles(user, gate.matter.environment) & gate.approvers:
        names = ", ".join(
            Role.objects.filter(slug__in=gate.approvers).values_list("name", flat=True)
        )
        reasons.append(
            Reason(
                "approver",
                f"Deciding here is for: {names or ', '.join(sorted(gate.approvers))}.",
                "Ask one of them.",
            )
        )
    return Decision(tuple(reasons))


def _by_role(user: User, action: Action) -> Decision:
    held = held_roles(user)
    administers = any(role.administers for role in held)
    if action is Action.READ_AUDIT:
        if reads_audit(held):
            return ALLOWED
        return _no("role", "The audit log is for auditors, leads and administrators.")
    if action is Action.SYNC_CATALOG:
        if administers or _executes_something(user):
            return ALLOWED
        return _no("role", "Reading the runbooks anew is for people who may execute runbooks.")
    if action in _FOR_EDITORS:
        if administers or any(role.leads for role in held):
            return ALLOWED
        return _no("role", _FOR_EDITORS[action], "Ask one of them.")
    if action is Action.TEST_HOST:
        if administers or _executes_something(user):
            return ALLOWED
        return _no("role", "Testing a connection is for people who may execute runbooks.")
    if action is Action.RESET_PRACTICE:
        if administers or _executes_something(user):
            return ALLOWED
        return _no("role", "Resetting the practice CVD is for people who may execute runbooks.")
    raise ValueError(f"The policy has no rule for {action}.")


def _executes_something(user: User) -> bool:
    return max(levels(user).values()) >= Level.EXECUTE
