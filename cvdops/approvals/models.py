"""A request for approval at a gate, bound to the digest of what would run, and its decisions."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from cvdops.lib.ids import uuid7


class RequestState(models.TextChoices):
    OPEN = "open", "Open"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"
    EXPIRED = "expired", "Expired"
    VOID = "void", "Void"  # what was asked for is not what would run, or nobody needs it any more


class ApprovalRequest(models.Model):
    """One gate of one execution. The execution is known by its id alone: this app lies below it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    execution_id = models.UUIDField()
    gate = models.CharField(max_length=120)  # the step's id
    title = models.CharField(max_length=200)
    message = models.TextField(blank=True)
    category = models.CharField(max_length=20)
    environment = models.CharField(max_length=40)
    # [{"roles": [slug, …], "required": n}]: every group must reach its number of persons.
    groups = models.JSONField()
    plan_digest = models.CharField(max_length=64)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(max_length=10, choices=RequestState, default=RequestState.OPEN)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["execution_id", "gate"],
                condition=Q(state="open"),
                name="request_one_open_per_gate",
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True)
                | (~Q(state="open") & Q(closed_at__isnull=False)),
                name="request_closed_has_time",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # rescue() asks for requests that have run out
            models.Index(fields=["expires_at"], condition=Q(state="open"), name="request_expiry"),
            models.Index(fields=["execution_id"], name="request_execution"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.state})"


class Decision(models.Model):
    """What one person said. The same person cannot speak twice on one request."""

    class Verdict(models.TextChoices):
        APPROVE = "approve", "Approved"
        REJECT = "reject", "Rejected"

    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="decisions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    person = models.UUIDField()
    verdict = models.CharField(max_length=8, choices=Verdict)
    comment = models.TextField(blank=True)
    plan_digest = models.CharField(max_length=64)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering: ClassVar[list[str]] = ["at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["request", "person"], name="decision_once_per_person")
        ]

    def __str__(self) -> str:
        return f"{self.verdict} by {self.user_id}"
