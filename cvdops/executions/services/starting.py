"""Starting an execution."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Literal

from django.db import connection, transaction

from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.environments import calendar
from cvdops.executions import checklists, emergencies, launch, participants, waits
from cvdops.executions.creation import create
from cvdops.executions.emergencies import Declaration
from cvdops.executions.launch import Preview, secret_names
from cvdops.executions.models import Execution
from cvdops.executions.versions import called
from cvdops.lib.errors import Invalid, Problem
from cvdops.lib.moments import rfc3339
from cvdops.notifications import addresses
from cvdops.notifications import services as notifications

MAX_REASON = 2000  # characters
_SUPERVISOR = {
    "code": waits.SUPERVISOR,
    "text": "Somebody certified joins as supervisor; then it begins",
}


def preview(
    user: User,
    runbook_id: str,
    environment: str,
    procedure: str | None,
    variables: Mapping[str, str],
    version: int | None = None,
    *,
    emergency: bool = False,
) -> Preview:
    """What a start would do, and what stands in its way. Raises NotFound, Invalid."""
    return launch.resolve(
        user, runbook_id, environment, procedure, variables, version, emergency=emergency
    )


def start(
    user: User,
    *,
    runbook: str,
    environment: str,
    procedure: str | None = None,
    version: int | None = None,
    shown: int | None = None,
    variables: Mapping[str, str] | None = None,
    reason: str = "",
    confirm_environment: str = "",
    checklist: Collection[int] | Literal["confirmed"] = (),
    idempotency_key: str | None = None,
    in_window: bool = False,
    emergency: Declaration | None = None,
) -> Execution:
    """Create the execution and queue it. The same idempotency key gives the same execution.

    `version`: the number of an earlier one that is to run; the reason then says why, too. `shown`: that of
    the one whose plan the person has seen: another one is not started. `in_window`: if
    the environment may not be changed now, it begins when its next window opens, if it still may then.
    `emergency`: a Lead declares one, outside the windows.
    Raises NotFound, Refused, Invalid (every problem named), Conflict.
    """
    if idempotency_key and (earlier := _earlier(user, idempotency_key)):
        return earlier
    resolved = launch.resolve(
        user,
        runbook,
        environment,
        procedure,
        variables or {},
        version,
        emergency=emergency is not None,
    )
    opens_at = _opening(resolved) if in_window and emergency is None else None
    may = can(user, Action.START, resolved.matter, opens_at) if opens_at else resolved.decision
    may.enforce()
    problems = [*_unseen(resolved, shown), *resolved.problems]
    problems += _formalities(resolved, reason, confirm_environment)
    problems += checklists.missing(resolved.before, checklist)
    if emergency:
        problems += emergencies.problems(
            emergency, calendar.standing(environment), changes=resolved.draft.changes
        )
    if problems:
        raise Invalid(problems)
    with transaction.atomic():
        if idempotency_key and (earlier := _first_with(user, idempotency_key)):
            return earlier
        execution = _create(user, resolved, reason, idempotency_key, opens_at)
        if emergency:
            emergencies.store(execution, user, emergency)
        return execution


def _opening(resolved: Preview) -> datetime | None:
    """When what is queued for the next window begins; None for now, or if no window comes."""
    standing = calendar.standing(resolved.environment.slug)
    return standing.opening.start if standing.opening else None


def _earlier(user: User, key: str) -> Execution | None:
    return Execution.objects.filter(requested_by=user, idempotency_key=key).first()


def _first_with(user: User, key: str) -> Execution | None:
    """The same, when another request with this key may be under way: after it has ended."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{user.pk}:{key}"]
        )
    return _earlier(user, key)


def _unseen(resolved: Preview, shown: int | None) -> list[Problem]:
    """A sync may have brought another version since the page showed its plan."""
    if shown in (None, resolved.version.number):
        return []
    return [
        Problem(
            "version",
            f"The runbook has changed since its plan was shown: now version {called(resolved.version)} "
            "would run. Look at its plan, then start it.",
        )
    ]


def _formalities(resolved: Preview, reason: str, typed: str) -> list[Problem]:
    problems = []
    if not reason.strip():
        why = (
            f"why you run version {called(resolved.version)}"
            if resolved.instead_of
            else "why you run it"
        )
        problems.append(Problem("reason", f"Say {why}: it is what others will read."))
    if len(reason) > MAX_REASON:
        problems.append(Problem("reason", f"The reason has at most {MAX_REASON} characters."))
    if resolved.environment.protected and typed != resolved.environment.slug:
        problems.append(
            Problem(
                "confirm_environment",
                f"Type {resolved.environment.slug} to confirm that you mean it.",
            )
        )
    return problems


def _versions(resolved: Preview) -> dict[str, int]:
    """The number of the version that runs, and of the one that runs when nobody chooses another."""
    other = resolved.instead_of
    return {"version": resolved.version.number} | ({"instead_of": other.number} if other else {})


def _create(
    user: User,
    resolved: Preview,
    reason: str,
    idempotency_key: str | None,
    opens_at: datetime | None,
) -> Execution:
    execution = create(
        user,
        resolved.version,
        resolved.draft,
        resolved.values,
        secret_names(resolved.document),
        reason.strip(),
        {**_versions(resolved), **({"opens_at": rfc3339(opens_at)} if opens_at else {})},
        idempotency_key=idempotency_key,
        opens_at=opens_at,
        waits_for=_SUPERVISOR if resolved.supervision else None,
    )
    checklists.store(execution, resolved.before, user)
    if resolved.supervision:
        told = f"supervise:{execution.pk}"
        mark = "Emergency: " if resolved.draft.emergency else ""
        notifications.tell(
            participants.supervisors(execution, resolved.matter),
            subject=told,
            key=told,
            text=f"{mark}{user.name} needs a supervisor for {resolved.runbook.title} {execution} in "
            f"{resolved.environment}: it begins when you join.",
            path=addresses.execution(execution.pk),
        )
    return execution
