"""The secrets of an environment: written and never shown, encrypted, numbered; runbooks get them by name."""

from collections.abc import Mapping
from typing import ClassVar

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from cvdops.lib.sealing import unseal
from cvdops.lib.together import Fixed

NAME = RegexValidator(r"\A[A-Za-z_][A-Za-z0-9_]{0,79}\Z", "Use letters, digits, underscore.")


class Replaced(Exception):
    """The secret is not the one that was asked for any more."""


class EnvironmentSecret(models.Model):
    """One version of a secret. Of former versions only the fact is kept."""

    environment = models.ForeignKey(
        "environments.Environment", on_delete=models.CASCADE, related_name="secrets"
    )
    name = models.CharField(max_length=80, validators=[NAME])
    version = models.PositiveIntegerField()
    sealed = models.BinaryField(default=bytes)  # {name: value}, encrypted; empty once replaced
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField(db_default=Now())
    replaced_at = models.DateTimeField(null=True)  # or removed

    class Meta:
        ordering: ClassVar[list[str]] = ["name", "-version"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["environment", "name", "version"], name="secret_version"
            ),
            models.UniqueConstraint(
                fields=["environment", "name"],
                condition=Q(replaced_at__isnull=True),
                name="secret_one_current",
            ),
            models.CheckConstraint(
                condition=Q(replaced_at__isnull=True) | Q(sealed=b""),
                name="secret_replaced_is_gone",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} (version {self.version})"


def versions(environment: str) -> dict[str, int]:
    """Name → version of the secrets that there are now."""
    return dict(current(environment))


@Fixed
def current(environment: str) -> models.QuerySet[EnvironmentSecret, tuple[str, int]]:
    """Name and version of each."""
    found = EnvironmentSecret.objects.filter(environment=environment, replaced_at=None)
    return found.values_list("name", "version")


def opened(environment: str, wanted: Mapping[str, int]) -> dict[str, str]:
    """The values of these versions, in the clear. Raises Replaced, SealBroken."""
    if not wanted:
        return {}
    there = EnvironmentSecret.objects.filter(
        environment=environment, name__in=wanted, replaced_at=None
    )
    found = {secret.name: secret for secret in there}
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    values = {}
    for name, version in wanted.items():
        secret = found.get(name)
        if secret is None or secret.version != version:
            raise Replaced(
                f"The secret {name} of {environment} was changed after this was planned. Start anew."
            )
        values[name] = unseal(bytes(secret.sealed), keys)[name]
    return values
