"""Emergencies: what was started outside the windows, why, who was told, and the review that became due."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.functional import cached_property

from cvdops.executions.models.execution import Execution
from cvdops.executions.priorities import TERMS, Priority, Terms
from cvdops.spec.document import Kind

NOTICE = timedelta(hours=2)  # in which stakeholders are told beforehand, where possible
REVIEWED_WITHIN = timedelta(days=7)  # five working days after its end


class Emergency(models.Model):
    """An execution that a Lead declared to be one."""

    execution = models.OneToOneField(
        Execution, primary_key=True, on_delete=models.CASCADE, related_name="emergency"
    )
    priority = models.CharField(max_length=2, choices=Priority)
    reason = models.TextField()  # why it cannot wait for the window
    declared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    declared_at = models.DateTimeField(db_default=Now())
    notified_at = models.DateTimeField(null=True)  # when the stakeholders were told
    short_notice = models.TextField(blank=True)  # why not two hours before
    review = models.TextField(blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    reviewed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(reviewed_at__isnull=True, reviewed_by__isnull=True, review="")
                | (Q(reviewed_at__isnull=False, reviewed_by__isnull=False) & ~Q(review="")),
                name="emergency_reviewed_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(
                    notified_at__isnull=False, notified_at__lte=models.F("declared_at") - NOTICE
                )
                | ~Q(short_notice=""),
                name="emergency_notice_or_why_not",
            ),
            models.CheckConstraint(
                condition=Q(priority__in=Priority.values), name="emergency_priority"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # home: how many there were lately
            models.Index(fields=["declared_at"], name="emergency_declared")
        ]

    def __str__(self) -> str:
        return f"emergency of {self.execution}"

    @property
    def terms(self) -> Terms:
        """What its priority means."""
        return TERMS[self.priority]

    @cached_property
    def ran(self) -> bool:
        """Whether anything was begun: one that was rejected before it began is no emergency that happened.

        Lists read it with the emergency.
        """
        begun = self.execution.steps.filter(started_at__isnull=False)
        return begun.exclude(kind=Kind.APPROVAL).exists()

    @property
    def review_due(self) -> datetime | None:
        """Until when it is to be reviewed; None while it goes on, when it is done, and if nothing ran."""
        if self.reviewed_at or self.execution.finished_at is None or not self.ran:
            return None
        due: datetime = self.execution.finished_at + REVIEWED_WITHIN
        return due
