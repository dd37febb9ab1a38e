"""The checklists of an execution, and what comes after its end."""

from collections.abc import Mapping
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from cvdops.environments.models import Environment
from cvdops.executions.models.execution import Execution, StepRun


class ChecklistMark(models.Model):
    """One item of a checklist: still open, confirmed by whom and when, or verified by the portal."""

    class Moment(models.TextChoices):
        BEFORE = "before", "Before the start"
        STEP = "step", "During"
        AFTER = "after", "After the end"

    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="checklist")
    moment = models.CharField(max_length=8, choices=Moment)
    step = models.ForeignKey(StepRun, null=True, on_delete=models.CASCADE, related_name="checklist")
    position = models.PositiveSmallIntegerField()
    text = models.TextField()
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True)
    # What the portal itself found, where it could look; what a person wrote who confirmed it.
    evidence = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["moment", "position"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["execution", "moment", "step", "position"],
                name="checklist_item",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True, confirmed_at__isnull=True)
                | Q(confirmed_by__isnull=False, confirmed_at__isnull=False)
                | (Q(confirmed_at__isnull=False) & ~Q(evidence="")),
                name="checklist_confirmed_by_someone",
            ),
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def verified(self) -> bool:
        """By the portal itself."""
        return self.confirmed_at is not None and self.confirmed_by_id is None


class Health(models.TextChoices):
    """How the health endpoint of an environment answered: once, or over the time that it was watched."""

    OK = "ok", "Well"
    DEGRADED = "degraded", "Degraded"
    UNREACHABLE = "unreachable", "Unreachable"
    UNSEEN = "unseen", "Not seen"  # nobody has asked, or not often enough to say


TONES: Mapping[str, str] = {
    Health.OK: "ok",
    Health.DEGRADED: "wait",
    Health.UNREACHABLE: "bad",
    Health.UNSEEN: "none",
}


class Closing(models.Model):
    """What comes after an end of an execution: closed when its list is done. Anew after each end."""

    execution = models.OneToOneField(
        Execution, primary_key=True, on_delete=models.CASCADE, related_name="closing"
    )
    ended_at = models.DateTimeField()  # the end that it belongs to
    closed_at = models.DateTimeField(null=True)
    watched_until = models.DateTimeField(null=True)  # null: there is no endpoint to watch
    health = models.CharField(max_length=12, choices=Health, blank=True)  # when it was watched
    health_text = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(health="") | Q(watched_until__isnull=False),
                name="closing_health_was_watched",
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            # home: what is not closed
            models.Index(
                fields=["execution"],
                condition=Q(closed_at__isnull=True),
                name="closing_open",
            ),
            # workers: what is watched
            models.Index(
                fields=["watched_until"],
                condition=Q(health="", watched_until__isnull=False),
                name="closing_watched",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.execution_id}: {'closed' if self.closed_at else 'open'}"

    @property
    def watching(self) -> bool:
        """The environment is watched, and the result is not known yet."""
        return self.watched_until is not None and not self.health

    @property
    def tone(self) -> str:
        """Of its health, as it is shown."""
        return TONES.get(self.health, "none")


class HealthSample(models.Model):
    """One look at the health endpoint of an environment: at most one each minute, whoever takes it."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="+")
    minute = models.DateTimeField()
    at = models.DateTimeField(db_default=Now())
    outcome = models.CharField(max_length=12, choices=Health)
    text = models.TextField()
    milliseconds = models.PositiveIntegerField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["environment", "minute"], name="health_once_a_minute")
        ]

    def __str__(self) -> str:
        return f"{self.environment_id} {self.minute}: {self.outcome}"

    @property
    def tone(self) -> str:
        """As it is shown."""
        return TONES[self.outcome]
