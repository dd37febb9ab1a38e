"""What a team does again and again, whenever it was done."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class RoutineDone(models.Model):
    """Somebody said that a routine was done; without a person: from here its next time is counted."""

    routine = models.CharField(max_length=40)  # its key
    at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    note = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(by__isnull=True) | ~Q(note=""), name="routine_done_with_a_note"
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            # home and the page: the newest of each
            models.Index(fields=["routine", "-id"], name="routine_newest")
        ]

    def __str__(self) -> str:
        return f"{self.routine}, {self.at:%Y-%m-%d}"
