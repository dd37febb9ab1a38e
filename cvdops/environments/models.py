"""Environments: their hosts, databases, addresses and the variables that every runbook may use."""

from typing import ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import (
    MaxValueValidator,
    MinValueValidator,
    RegexValidator,
    URLValidator,
)
from django.db import models
from django.db.models.functions import Now

from cvdops.environments.periods import Hold, Period
from cvdops.environments.vault import EnvironmentSecret
from cvdops.runners.ssh.address import is_host, is_jump
from cvdops.spec.origin import address

__all__ = ["EnvironmentSecret", "Hold", "Period"]  # of this app, too

NAME = RegexValidator(r"\A[a-z0-9][a-z0-9.-]{0,62}\Z", "Use a-z, 0-9, dot and dash.")
ADDRESS = RegexValidator(
    r"\A(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45})\Z",
    "Use a host name, an IP address, or an alias of the portal's SSH configuration.",
)
KEY = RegexValidator(
    r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z",
    "Use the name of the file: letters, digits, dot, dash, underscore.",
)
ACCOUNT = RegexValidator(r"\A[A-Za-z_][A-Za-z0-9_.-]{0,31}\Z", "Use the name of an account.")
JUMP = RegexValidator(
    r"\A[A-Za-z0-9_.@:\[\]-]{1,100}(?:,[A-Za-z0-9_.@:\[\]-]{1,100}){0,3}\Z",
    "Use user@host:port, several separated by commas.",
)
PORT = (MinValueValidator(1), MaxValueValidator(65535))
HTTP = URLValidator(schemes=["http", "https"])
VARIABLE = RegexValidator(r"\A[A-Za-z_][A-Za-z0-9_]{0,79}\Z", "Use letters, digits, underscore.")


class Environment(models.Model):
    """Where runbooks are run: development, staging, production."""

    slug = models.CharField(primary_key=True, max_length=40, validators=[NAME])
    name = models.CharField(max_length=80)
    order = models.PositiveSmallIntegerField(default=0)
    # A start must type the environment's name, and it is shown in the colour of danger.
    protected = models.BooleanField(default=False)
    practice = models.BooleanField(default=False)  # the practice CVD lives here and may be reset
    health_url = models.URLField(
        max_length=300, blank=True, validators=[HTTP]
    )  # says 2xx when well

    class Meta:
        ordering: ClassVar[list[str]] = ["order"]

    def __str__(self) -> str:
        return self.slug

    @property
    def queue(self) -> str:
        """The Celery queue whose workers carry out steps here."""
        return f"env.{self.slug}"


class Host(models.Model):
    """A machine of an environment. What is not said here, OpenSSH's own configuration says."""

    class Transport(models.TextChoices):
        LOCAL = "local", "This machine"
        SSH = "ssh", "SSH"

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="hosts")
    name = models.CharField(max_length=63, validators=[NAME])
    transport = models.CharField(max_length=10, choices=Transport)
    address = models.CharField(max_length=253, blank=True, validators=[ADDRESS])
    port = models.PositiveIntegerField(null=True, blank=True, validators=PORT)
    user = models.CharField(max_length=32, blank=True, validators=[ACCOUNT])
    key = models.CharField(max_length=63, blank=True, validators=[KEY])  # a key of the portal's
    jump = models.CharField(max_length=300, blank=True, validators=[JUMP])  # hosts in between
    default = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["environment", "name"], name="host_name"),
            models.UniqueConstraint(
                fields=["environment"], condition=models.Q(default=True), name="host_one_default"
            ),
            models.CheckConstraint(
                condition=~models.Q(transport="ssh", address=""), name="host_ssh_has_address"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """What OpenSSH gets is the name of a host, and never anything else."""
        if self.transport != self.Transport.SSH:
            return
        wrong = {}
        if not self.address:
            wrong["address"] = "Say where it is: a name, an IP address, or an alias."
        elif not is_host(self.address):
            wrong["address"] = "This is neither a host name nor an IP address."
        if self.jump and not is_jump(self.jump):
            wrong["jump"] = "Use user@host:port, at most four of them, separated by commas."
        if wrong:
            raise ValidationError(wrong)

    @property
    def where(self) -> str:
        """How it is reached, as one reads it."""
        if self.transport == self.Transport.LOCAL:
            return "the machine of the worker"
        user = f"{self.user}@" if self.user else ""
        port = f", port {self.port}" if self.port else ""
        return f"{user}{self.address}{port}{f' through {self.jump}' if self.jump else ''}"


class HostKey(models.Model):
    """A key by which a host proves who it is, confirmed by a person. Others are refused."""

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="keys")
    kind = models.CharField(max_length=40)  # ssh-ed25519, …
    key = models.TextField()  # base64, as in known_hosts
    fingerprint = models.CharField(max_length=64)  # SHA256:…
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    confirmed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["kind"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["host", "fingerprint"], name="host_key_once")
        ]

    def __str__(self) -> str:
        return self.fingerprint


class HostGroup(models.Model):
    """Hosts that a step may name together, as `target=web`."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="groups")
    name = models.CharField(max_length=63, validators=[NAME])
    hosts = models.ManyToManyField(Host, related_name="groups")

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["environment", "name"], name="group_name")
        ]

    def __str__(self) -> str:
        return self.name


class Database(models.Model):
    """A database that `sql` steps name; the client on the target opens it."""

    class Kind(models.TextChoices):
        SQLITE = "sqlite", "SQLite"
        POSTGRESQL = "postgresql", "PostgreSQL"

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="databases")
    name = models.CharField(max_length=63, validators=[NAME])
    kind = models.CharField(max_length=10, choices=Kind)
    # A path, or a connection string without a password: that one is on the target. May name the
    # environment's variables, as `${DATABASE_PATH}`.
    location = models.CharField(max_length=500)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["environment", "name"], name="database_name")
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """A password in it would be read by everybody who reads the page."""
        try:
            secret = urlsplit(self.location).password is not None
        except ValueError:
            secret = False
        if secret or "password=" in self.location.replace(" ", "").lower():
            text = "Leave the password out: it belongs on the target, in its .pgpass."
            raise ValidationError({"location": text})


class AllowedAddress(models.Model):
    """A host and port that `http` steps of this environment may talk to; they reach no other."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="addresses")
    host = models.CharField(max_length=253, validators=[ADDRESS])
    port = models.PositiveIntegerField(validators=PORT)

    class Meta:
        ordering: ClassVar[list[str]] = ["host", "port"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["environment", "host", "port"], name="allowed_address_once"
            )
        ]

    def __str__(self) -> str:
        return address(self.host, self.port)


class EnvironmentVariable(models.Model):
    """A value that every execution in the environment starts with."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="variables")
    name = models.CharField(max_length=80, validators=[VARIABLE])
    value = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["environment", "name"], name="variable_name")
        ]

    def __str__(self) -> str:
        return self.name


class Contact(models.Model):
    """Somebody to reach, or a place where people talk: the page *Contacts*."""

    class Kind(models.TextChoices):
        ESCALATION = "escalation", "Escalation chain"
        SPECIALIST = "specialist", "Specialised contacts"
        CHANNEL = "channel", "Channels"

    kind = models.CharField(max_length=12, choices=Kind)
    order = models.PositiveSmallIntegerField(default=0)
    name = models.CharField(max_length=80)
    address = models.CharField(max_length=200)
    note = models.CharField(max_length=200, blank=True)
    confirmed_at = models.DateTimeField(
        db_default=Now()
    )  # when somebody last said that it is right
    confirmed_by = models.ForeignKey(  # null: it came with the installation
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering: ClassVar[list[str]] = ["kind", "order"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["kind", "name"], name="contact_name")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def link(self) -> str:
        """Where a press on the address leads; empty for one that can only be read."""
        if self.address.startswith("https://"):
            return self.address
        return f"mailto:{self.address}" if "@" in self.address else ""
