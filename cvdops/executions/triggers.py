"""Triggers as people set them up: created, given a new secret, switched off and on."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from cvdops.access.catalog import get_runbook, matter
from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.catalog.models import Runbook
from cvdops.catalog.queries import document
from cvdops.environments.models import Environment
from cvdops.executions.models import Trigger
from cvdops.lib.errors import Conflict, Invalid, NotFound, Problem, Reason
from cvdops.lib.sealing import seal
from cvdops.spec.values import variables_of

POINTER = re.compile(r"(/([^/~]|~[01])*)*")  # RFC 6901
MOST = 50  # variables of one


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A trigger as it is asked for. `mapping`: variable → JSON pointer into the payload."""

    name: str
    runbook: str
    environment: str
    account: str
    procedure: str = ""
    mapping: Mapping[str, str]


def all_of_them(user: User) -> QuerySet[Trigger]:
    """Every trigger, for those who change them. Raises Refused."""
    can(user, Action.EDIT_TRIGGERS).enforce()
    return Trigger.objects.select_related("environment", "account", "shown_to")


def named(user: User, trigger_id: UUID | str) -> Trigger:
    """One of them. Raises Refused, NotFound."""
    try:
        found = all_of_them(user).filter(pk=UUID(str(trigger_id))).first()
    except ValueError:
        found = None
    if found is None:
        raise NotFound("trigger")
    return found


def service_accounts() -> QuerySet[User]:
    """The accounts as which a trigger may act."""
    return User.objects.filter(service=True, is_active=True).order_by("username")


def create(user: User, wanted: Wanted) -> tuple[Trigger, str]:
    """A new trigger and its secret, which nobody is shown again. Raises Refused, NotFound, Invalid."""
    can(user, Action.EDIT_TRIGGERS).enforce()
    account = service_accounts().filter(username=wanted.account).first()
    problems = _problems(user, wanted)
    if account is None:
        text = "Choose a service account: one that an administrator has opened as such."
        problems.append(Problem("account", text))
    if problems or account is None:
        raise Invalid(problems)
    secret, sealed = _new_secret()
    with transaction.atomic():
        made = Trigger.objects.create(
            name=wanted.name.strip(),
            runbook=wanted.runbook,
            procedure=wanted.procedure,
            environment_id=wanted.environment,
            account=account,
            mapping=dict(wanted.mapping),
            sealed=sealed,
            shown_to=user,
        )
        data = {
            "name": made.name,
            "runbook": made.runbook,
            "procedure": made.procedure,
            "environment": made.environment_id,
            "account": account.username,
            "mapping": made.mapping,
        }
        _audit(user, made, "create", **data)
    made.refresh_from_db()
    return made, secret


def against(trigger: Trigger) -> tuple[Reason, ...]:
    """What would stand in the way of a start by its account, as its roles and the holds are now."""
    runbook = Runbook.objects.select_related("current").get(pk=trigger.runbook)
    if runbook.current is None:
        return (Reason("version", f"{runbook.title} has no version that can be executed.", ""),)
    about = matter(runbook, runbook.current, trigger.environment)
    return tuple(can(trigger.account, Action.START, about).reasons)


def rotate(user: User, trigger_id: UUID | str) -> tuple[Trigger, str]:
    """A new secret; the former one opens nothing from now on. Raises Refused, NotFound."""
    found = named(user, trigger_id)
    secret, sealed = _new_secret()
    with transaction.atomic():
        given = {"sealed": sealed, "shown_to": user, "shown_at": Now(), "unsigned": 0}
        Trigger.objects.filter(pk=found.pk).update(**given)
        _audit(user, found, "rotate")
    found.refresh_from_db()
    return found, secret


def disable(user: User, trigger_id: UUID | str) -> Trigger:
    """Nothing is started by it any more. Raises Refused, NotFound, Conflict."""
    return _switch(user, trigger_id, on=False)


def enable(user: User, trigger_id: UUID | str) -> Trigger:
    """It starts executions again. Raises Refused, NotFound, Conflict."""
    return _switch(user, trigger_id, on=True)


def _switch(user: User, trigger_id: UUID | str, *, on: bool) -> Trigger:
    found = named(user, trigger_id)
    with transaction.atomic():
        rows = Trigger.objects.filter(pk=found.pk, disabled_at__isnull=not on)
        if not rows.update(disabled_at=None if on else Now()):
            raise Conflict(f"The trigger “{found.name}” is {'on' if on else 'off'} already.")
        _audit(user, found, "enable" if on else "disable")
    found.refresh_from_db()
    return found


def _new_secret() -> tuple[str, bytes]:
    text = secrets.token_urlsafe(32)
    return text, seal({"secret": text}, settings.SECRET_KEY)


def _problems(user: User, wanted: Wanted) -> list[Problem]:
    problems = []
    name = wanted.name.strip()
    if not 1 <= len(name) <= 80 or not name.isprintable():
        problems.append(Problem("name", "Give it a name of at most 80 characters."))
    elif Trigger.objects.filter(name=name).exists():
        problems.append(Problem("name", "There is one of this name already."))
    if not Environment.objects.filter(pk=wanted.environment).exists():
        problems.append(Problem("environment", "There is no such environment."))
    runbook = get_runbook(user, wanted.runbook)
    if runbook.current is None:
        text = f"{runbook.title} has no version that can be executed."
        return [*problems, Problem("runbook", text)]
    read = document(runbook.current)
    procedures = [procedure.key for procedure in read.procedures]
    procedure = wanted.procedure or (procedures[0] if len(procedures) == 1 else "")
    if procedure not in procedures:
        text = f"Choose one of the procedures: {', '.join(procedures)}."
        return [*problems, Problem("procedure", text)]
    known = {variable.name for variable in variables_of(read, procedure)}
    if foreign := sorted(set(wanted.mapping) - known):
        text = f"The procedure has no variable {', '.join(foreign)}."
        problems.append(Problem("mapping", text))
    wrong = [p for p in wanted.mapping.values() if not POINTER.fullmatch(p) or len(p) > 200]
    if wrong or len(wanted.mapping) > MOST:
        text = "A place in the payload is a JSON pointer, such as /release/version."
        problems.append(Problem("mapping", text))
    return problems


def _audit(user: User, trigger: Trigger, verb: str, **more: object) -> None:
    data = {"verb": verb, "name": trigger.name, **more}
    record(user, Action.EDIT_TRIGGERS, "trigger", trigger.pk, data=data)
