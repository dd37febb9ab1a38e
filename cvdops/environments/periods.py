"""When an environment may be changed, as it is stored: windows, freezes, holds."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from cvdops.environments.schedule import RULE, Recurrence


class Period(models.Model):
    """A maintenance window, in which an environment may be changed, or a freeze, in which it may not."""

    class Kind(models.TextChoices):
        WINDOW = "window", "Window"
        FREEZE = "freeze", "Freeze"

    environment = models.ForeignKey(
        "environments.Environment", on_delete=models.CASCADE, related_name="periods"
    )
    kind = models.CharField(max_length=6, choices=Kind)
    name = models.CharField(max_length=80)
    starts_at = models.DateTimeField()  # its first time
    minutes = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    rule = models.CharField(max_length=120, blank=True, validators=[RegexValidator(RULE)])

    class Meta:
        ordering: ClassVar[list[str]] = ["kind", "starts_at", "name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["environment", "kind", "name"], name="period_name"),
            models.CheckConstraint(condition=Q(minutes__gt=0), name="period_has_length"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def recurrence(self) -> Recurrence:
        """When it is."""
        start: datetime = self.starts_at.astimezone(UTC)
        return Recurrence(self.name, start, timedelta(minutes=self.minutes), self.rule)


def described(period: Period) -> str:
    """All of a period in one line, as it stands in what is approved."""
    start = period.starts_at.astimezone(UTC)
    often = period.rule or "once"
    return f"{period.kind} {period.name}: {start:%Y-%m-%d %H:%M} UTC, {period.minutes} min, {often}"


class HoldQuerySet(models.QuerySet["Hold"]):
    def in_force(self, at: datetime | None = None) -> "HoldQuerySet":
        """The holds that refuse starts at a time (default: now, by the database's clock)."""
        moment = at or Now()
        return self.filter(
            Q(lifted_at__isnull=True) | Q(lifted_at__gt=moment), since__lte=moment, until__gt=moment
        )

    def against(self, environment: str, runbook: str) -> "HoldQuerySet":
        """Those that concern a start of this runbook there."""
        return self.filter(
            Q(environment=environment) | Q(environment__isnull=True), runbook__in=["", runbook]
        )


class Hold(models.Model):
    """Nothing new starts: of a runbook, in an environment, or at all. What runs goes on."""

    environment = models.ForeignKey("environments.Environment", null=True, on_delete=models.CASCADE)
    runbook = models.CharField(max_length=80, blank=True)  # its id
    reason = models.TextField()
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField(db_default=Now())
    until = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = HoldQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(until__gt=models.F("since")), name="hold_begins_before_it_ends"
            ),
            models.CheckConstraint(
                condition=Q(environment__isnull=True) | Q(runbook=""), name="hold_on_one_thing"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # every page: those that may be in force
            models.Index(
                fields=["until"], condition=Q(lifted_at__isnull=True), name="hold_standing"
            )
        ]

    def __str__(self) -> str:
        return self.what

    @property
    def what(self) -> str:
        """What it is on, as a sentence names it."""
        if self.runbook:
            return f"the runbook {self.runbook}"
        return self.environment_id or "everything"
