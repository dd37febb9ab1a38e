"""Setting and removing the secrets of an environment. Nobody is ever shown one."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now

from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.environments.models import EnvironmentSecret
from cvdops.environments.vault import NAME
from cvdops.executions.inventory import environment, one_at_a_time
from cvdops.lib.errors import Conflict, Invalid, Problem
from cvdops.lib.redaction import SHORTEST
from cvdops.lib.sealing import seal

LONGEST = 64 << 10  # characters: a private key with its certificates


def set_secret(user: User, slug: str, name: str, value: str) -> EnvironmentSecret:
    """Set a secret, or replace it by a new version. Raises NotFound, Refused, Invalid."""
    can(user, Action.EDIT_SECRETS).enforce()
    place = environment(slug)
    with transaction.atomic():
        one_at_a_time(slug)
        taken = place.variables.filter(name=name).exists()
        if problems := _problems(name, value, taken=taken):
            raise Invalid(problems)
        all_of_it = EnvironmentSecret.objects.filter(environment=place, name=name)
        last = all_of_it.aggregate(last=Max("version"))["last"] or 0
        all_of_it.filter(replaced_at=None).update(replaced_at=Now(), sealed=b"")
        made = EnvironmentSecret.objects.create(
            environment=place,
            name=name,
            version=last + 1,
            sealed=seal({name: value}, settings.SECRET_KEY),
            set_by=user,
        )
        _audit(user, slug, "set", name, made.version)
    return made


def remove_secret(user: User, slug: str, name: str) -> None:
    """Take a secret away. Raises NotFound, Refused, Conflict."""
    can(user, Action.EDIT_SECRETS).enforce()
    place = environment(slug)
    with transaction.atomic():
        one_at_a_time(slug)
        current = place.secrets.filter(name=name, replaced_at=None).first()
        if current is None:
            raise Conflict(f"There is no secret {name} in {slug} any more.")
        place.secrets.filter(pk=current.pk).update(replaced_at=Now(), sealed=b"")
        _audit(user, slug, "remove", name, current.version)


def _problems(name: str, value: str, *, taken: bool) -> list[Problem]:
    problems = []
    try:
        NAME(name)
    except ValidationError:
        problems.append(Problem("name", "Use letters, digits, underscore, at most 80 of them."))
    if taken:
        text = "It is a variable of this environment, which everybody reads. Remove that first."
        problems.append(Problem("name", text))
    if len(value.strip()) < SHORTEST:
        text = f"A secret has at least {SHORTEST} characters: a shorter one cannot be masked."
        problems.append(Problem("value", text))
    if len(value) > LONGEST:
        problems.append(Problem("value", f"A secret has at most {LONGEST} characters."))
    return problems


def _audit(user: User, slug: str, verb: str, name: str, version: int) -> None:
    data = {"verb": verb, "name": name, "version": version}
    record(user, Action.EDIT_SECRETS, "environment", slug, data=data)
