"""Who takes part in an execution."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from cvdops.executions.models.execution import Execution


class Participant(models.Model):
    """A person who takes part, or took part: never changed but to say that they left."""

    class Part(models.TextChoices):
        OPERATOR = "operator", "Operator"  # runs it: whoever asked for it, until it is handed over
        SUPERVISOR = "supervisor", "Supervisor"
        ASSISTANT = "assistant", "Assistant"
        OBSERVER = "observer", "Observer"

    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="participants")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="participations"
    )
    part = models.CharField(max_length=10, choices=Part)
    joined_at = models.DateTimeField(db_default=Now())
    left_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["execution", "user"],
                condition=Q(left_at__isnull=True),
                name="participant_once",
            ),
            models.UniqueConstraint(
                fields=["execution"],
                condition=Q(left_at__isnull=True, part="operator"),
                name="participant_one_operator",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # home: what somebody runs; certification: in what somebody took part
            models.Index(fields=["user", "part"], name="participant_by_user")
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.part}"
