"""A request for approval at a gate, bound to the digest of what would run, and its decisions."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from cvdops.environments.models import Environment
from cvdops.lib.ids import uuid7
from cvdops.spec.document import Category


class Condition(models.TextChoices):
    """When a policy asks for an approval."""

    ALWAYS = "always", "Every start"
    CHANGING = "changing", "Starts that change something"
    RESTORE = "restore", "Restores"
    EMERGENCY = "emergency", "Emergencies, outside the maintenance window"


class ApprovalPolicy(models.Model):
    """Who has to approve what starts in an environment. It is never deleted: without groups, nobody."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="policies")
    # empty: every category
    category = models.CharField(
        max_length=20, blank=True, choices=[(c.value, c.value) for c in Category]
    )
    condition = models.CharField(max_length=10, choices=Condition)
    groups = models.JSONField()  # as of `groups.to_json`
    expires = models.PositiveIntegerField()  # seconds to decide in, and for which a decision holds
    reason_required = models.BooleanField(default=False)  # of who approves
    version = models.PositiveIntegerField(default=1)  # rises with each change

    class Meta:
        ordering: ClassVar[list[str]] = ["environment", "category", "condition"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["environment", "category", "condition"], name="approval_policy_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.environment_id} × {self.category or 'every category'}, {self.condition}"


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
    groups = models.JSONField()  # as of `groups.to_json`: every one of them must be full
    reason_required = models.BooleanField(default=False)  # of who approves
    plan_digest = models.CharField(max_length=64)  # of what was pinned at the start, and runs
    present_digest = models.CharField(max_length=64)  # of what would be resolved when it was asked
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(max_length=10, choices=RequestState, default=RequestState.OPEN)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    void_reason = models.TextField(blank=True)  # why it does not count, in sentences

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
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
    on_behalf_of = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
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

    @property
    def who(self) -> str:
        """Who decided, and for whom, as people read it."""
        if self.on_behalf_of is None:
            return self.user.name
        return f"{self.user.name} for {self.on_behalf_of.name}"
