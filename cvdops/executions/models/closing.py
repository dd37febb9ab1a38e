"""The checklists of an execution, and what comes after its end."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

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


class Closing(models.Model):
    """What comes after an end of an execution: closed when its list is done. Anew after each end."""

    execution = models.OneToOneField(
        Execution, primary_key=True, on_delete=models.CASCADE, related_name="closing"
    )
    ended_at = models.DateTimeField()  # the end that it belongs to
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            # home: what is not closed
            models.Index(
                fields=["execution"],
                condition=Q(closed_at__isnull=True),
                name="closing_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.execution_id}: {'closed' if self.closed_at else 'open'}"
