"""Who may do what, as a pure function of how the person stands and what it is about.

A new rule goes here, and gives its own reason with a code, a sentence, and the shortest way to get further.
"""

from collections.abc import Callable, Mapping

from cvdops.access.certification import Certificate, Stage, ceiling, opens
from cvdops.access.levels import Level
from cvdops.access.standing import Standing
from cvdops.access.subjects import (
    ALLOWED,
    LOGGED_IN,
    NEEDED,
    UNCATEGORISED,
    Action,
    Decision,
    Gate,
    Matter,
    Subject,
)
from cvdops.lib.errors import Reason
from cvdops.spec.document import Category

# What administrators and those who lead may do, and what anybody else is told.
_FOR_EDITORS: dict[Action, str] = {
    Action.EDIT_ENVIRONMENTS: "Changing environments is for administrators and Operations Leads.",
    Action.EDIT_SECRETS: "Setting secrets is for administrators and Operations Leads.",
    Action.EDIT_WINDOWS: "Changing windows and freezes is for administrators and Operations Leads.",
    Action.HOLD: "Holds are for administrators and Operations Leads.",
    Action.EDIT_PERMISSIONS: "Changing permissions is for administrators and Operations Leads.",
    Action.EDIT_CONTACTS: "Changing contacts is for administrators and Operations Leads.",
    Action.CONFIRM_ROUTINE: "Confirming what is due regularly is for administrators and Operations Leads.",
    Action.EDIT_TRIGGERS: "Triggers are for administrators and Operations Leads.",
    Action.CONFIRM_KEY: "Confirming host keys is for administrators and Operations Leads.",
}

# What administrators and those who may execute some runbook may do.
_FOR_OPERATORS: dict[Action, str] = {
    Action.SYNC_CATALOG: "Reading the runbooks anew is for people who may execute runbooks.",
    Action.TEST_HOST: "Testing a connection is for people who may execute runbooks.",
    Action.RESET_PRACTICE: "Resetting the practice CVD is for people who may execute runbooks.",
}


def decide(
    standing: Standing,
    action: Action,
    subject: Subject,
    role_names: Callable[[], Mapping[str, str]],
) -> Decision:
    """May this person do this? `role_names` is asked only for a refusal that names roles."""
    if action is Action.PUBLIC:
        return ALLOWED
    if not standing.active:
        return no("login", "You are not logged in.", "Log in.")
    if action in LOGGED_IN:
        return ALLOWED
    if action in NEEDED:
        if not isinstance(subject, Matter):
            raise TypeError(f"{action} needs a Matter, not {subject!r}.")
        return _by_level(standing, action, subject)
    if action is Action.DECIDE:
        if not isinstance(subject, Gate):
            raise TypeError(f"{action} needs a Gate, not {subject!r}.")
        return _at_gate(standing, subject, role_names)
    return _by_role(standing, action)


def levels(
    standing: Standing, environment: str = "", *, security: bool = False
) -> dict[str, Level]:
    """Category → the level that this person has there; the highest of all roles counts.

    A runbook without a category can be any of them: it is read by who may read all, and nobody may do more.
    """
    found = dict.fromkeys((category.value for category in Category), Level.NONE)
    for held in standing.held_in(environment):
        for category, stated in held.levels.items():
            level = stated.effective(security=security)
            if held.leads and level is Level.EXECUTE:
                level = Level.LEAD
            found[category] = max(found[category], level)
    return found | {UNCATEGORISED: min(Level.REVIEW, *found.values())}


def readable(standing: Standing) -> frozenset[str]:
    """The categories whose runbooks exist for this person anywhere; the empty one for who sees all."""
    seen = frozenset(
        category
        for held in standing.held
        for category, level in held.levels.items()
        if level >= Level.REVIEW
    )
    return seen | {UNCATEGORISED} if len(seen) == len(Category) else seen


def seen(standing: Standing, environment: str = "") -> frozenset[str]:
    """The categories of which this person may read what was run there; without one, everywhere."""
    if not standing.active:
        return frozenset()
    return frozenset(
        c for c, level in levels(standing, environment).items() if level >= Level.REVIEW
    )


def may_decide(standing: Standing, gate: Gate) -> bool:
    """`decide` at a gate, without the reasons."""
    return voice(standing, gate) is not None


def voice(standing: Standing, gate: Gate) -> Standing | None:
    """The one as whom this person may decide: themselves, or else somebody who lets them; None for nobody.

    Who is involved neither decides nor lets anybody decide for them, under any of their accounts.
    """
    if not standing.active or standing.person in gate.involved:
        return None
    free = (who for who in _voices(standing, gate) if who.person not in gate.involved)
    return next(free, None)


def _voices(standing: Standing, gate: Gate) -> list[Standing]:
    return [
        who
        for who in (standing, *standing.behalf)
        if who.active and who.answers_for(gate.matter.environment) & gate.approvers
    ]


def no(code: str, text: str, remedy: str = "") -> Decision:
    """A refusal with one reason."""
    return Decision((Reason(code, text, remedy),))


def _by_level(standing: Standing, action: Action, matter: Matter) -> Decision:
    needed = Level.LEAD if action is Action.START and matter.emergency else NEEDED[action]
    if not matter.environment and needed is Level.REVIEW:
        has = Level.REVIEW if matter.category in readable(standing) else Level.NONE
    else:
        has = levels(standing, matter.environment, security=matter.security)[matter.category]
    if has >= needed:
        return _as_certified(standing.certificate, action, matter, has)
    where = f" in {matter.environment}" if matter.environment else ""
    what = matter.category or "runbooks without a category"
    return no(
        "matrix",
        f"This needs {needed.label} on {what}{where}; you have {has.label}.",
        f"Ask somebody with {needed.label} on {what}, or an Operations Lead for the role.",
    )


def _as_certified(certificate: Certificate, action: Action, matter: Matter, has: Level) -> Decision:
    """What the matrix allows, as far as the person has come in their training."""
    needed = NEEDED[action]
    if needed <= Level.REVIEW:
        return ALLOWED
    stage = certificate.stage
    if action is Action.SUPERVISE and stage is not Stage.CERTIFIED:
        return _not_certified(certificate, "Supervising is for those who are certified.")
    about = {"protected": matter.protected, "critical": matter.critical}
    limit = ceiling(stage, **about, supervised=matter.supervised)
    if limit < needed:
        if not matter.supervised and ceiling(stage, **about, supervised=True) >= needed:
            return no(
                "supervision",
                f"You are at “{stage.label}”: you execute this under supervision.",
                f"Somebody certified with Execute on {matter.category} joins as supervisor.",
            )
        what = "Runbooks for emergencies" if matter.critical else "Executing"
        where = f" in {matter.environment}" if matter.environment else ""
        return _not_certified(certificate, f"{what}{where} begins at “{opens(**about).label}”.")
    if action is Action.ASSIST and min(has, limit) < Level.EXECUTE and not matter.present:
        return no(
            "presence",
            "You assist: you confirm steps while somebody with Execute takes part, and nobody does.",
            f"Ask somebody with Execute on {matter.category} to join the execution.",
        )
    return ALLOWED


def _not_certified(certificate: Certificate, text: str) -> Decision:
    if certificate.expired:
        since = f"{certificate.expired:%Y-%m-%d}"
        return no(
            "certification",
            f"Your certification expired on {since}: the annual assessment is due. {text}",
            "Ask an Operations Lead for the assessment.",
        )
    return no(
        "certification",
        f"You are at “{certificate.stage.label}”. {text}",
        "Your page under Permissions, Certification says what leads there.",
    )


def _at_gate(
    standing: Standing, gate: Gate, role_names: Callable[[], Mapping[str, str]]
) -> Decision:
    if voice(standing, gate) is not None:
        return ALLOWED
    if standing.person in gate.involved:
        return no(
            "separation",
            f"You {gate.involved[standing.person]}: nobody approves what they have a part in.",
            "Somebody else of the approvers has to decide.",
        )
    for who in _voices(standing, gate):
        return no(
            "separation",
            f"You would decide for somebody who {gate.involved[who.person]}: no delegation "
            "leads round the separation of duties.",
            "Somebody else of the approvers has to decide.",
        )
    names = role_names()
    approvers = ", ".join(names.get(slug, slug) for slug in sorted(gate.approvers))
    return no("approver", f"Deciding here is for: {approvers}.", "Ask one of them.")


def _by_role(standing: Standing, action: Action) -> Decision:
    """What no cell of the matrix gives."""
    everywhere = standing.held_in()
    administers = any(held.administers for held in everywhere)
    if action is Action.READ_AUDIT:
        if any(held.reads_audit for held in everywhere):
            return ALLOWED
        return no(
            "role",
            "The audit log is for auditors, leads and administrators.",
            "Ask one of them what you need to know.",
        )
    if action is Action.MANAGE_ACCOUNTS:
        if administers:
            return ALLOWED
        return no("role", "Accounts are for administrators.", "Ask one of them.")
    if action is Action.EXAMINE:
        if administers:
            return ALLOWED
        return no(
            "role", "The state of the installation is for administrators.", "Ask one of them."
        )
    if action is Action.CERTIFY:
        if any(held.leads for held in everywhere):
            return ALLOWED
        return no("role", "Certifications are granted by Operations Leads.", "Ask one of them.")
    if action in _FOR_EDITORS:
        if administers or any(held.leads for held in everywhere):
            return ALLOWED
        return no("role", _FOR_EDITORS[action], "Ask one of them.")
    if administers or max(levels(standing).values()) >= Level.EXECUTE:
        return ALLOWED
    return no(
        "role", _FOR_OPERATORS[action], "Ask one of them, or an Operations Lead for the role."
    )
