"""Environments, their hosts and the common variables that every runbook may use."""

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models

NAME = RegexValidator(r"\A[a-z0-9][a-z0-9.-]{0,62}\Z", "Use a-z, 0-9, dot and dash.")
VARIABLE = RegexValidator(r"\A[A-Za-z_][A-Za-z0-9_]{0,79}\Z", "Use letters, digits, underscore.")


class Environment(models.Model):
    """Where runbooks are run: development, staging, production."""

    slug = models.CharField(primary_key=True, max_length=40, validators=[NAME])
    name = models.CharField(max_length=80)
    order = models.PositiveSmallIntegerField(default=0)
    # A start must type the environment's name, and it is shown in the colour of danger.
    protected = models.BooleanField(default=False)
    practice = models.BooleanField(default=False)  # the practice CVD lives here and may be reset

    class Meta:
        ordering: ClassVar[list[str]] = ["order"]

    def __str__(self) -> str:
        return self.slug

    @property
    def queue(self) -> str:
        """The Celery queue whose workers carry out steps here."""
        return f"env.{self.slug}"


class Host(models.Model):
    """A machine of an environment."""

    class Transport(models.TextChoices):
        LOCAL = "local", "This machine"

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="hosts")
    name = models.CharField(max_length=63, validators=[NAME])
    transport = models.CharField(max_length=10, choices=Transport)
    default = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["environment", "name"], name="host_name"),
            models.UniqueConstraint(
                fields=["environment"], condition=models.Q(default=True), name="host_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name


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
