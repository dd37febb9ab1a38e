"""Triggers: inbound webhooks by which other systems ask for an execution, and what they delivered."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from cvdops.environments.models import Environment
from cvdops.executions.models.execution import Execution
from cvdops.lib.ids import uuid7


class Trigger(models.Model):
    """What a delivery starts, as whom, and where in its payload the variables stand."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80, unique=True)
    runbook = models.CharField(max_length=80)  # its id
    procedure = models.CharField(max_length=120, blank=True)
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="+")
    # A service account: nobody logs in with it.
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    mapping = models.JSONField(default=dict)  # variable → JSON pointer
    sealed = models.BinaryField()  # {"secret": …}, encrypted
    # Whoever was shown the secret could send by it: they do not decide about what it asks for.
    shown_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    shown_at = models.DateTimeField(db_default=Now())
    disabled_at = models.DateTimeField(null=True)
    unsigned = models.PositiveIntegerField(default=0)  # what came without a right signature
    unsigned_at = models.DateTimeField(null=True)  # the last of them

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name


class Delivery(models.Model):
    """What was delivered with a right signature: once for each id, whatever became of it."""

    trigger = models.ForeignKey(Trigger, on_delete=models.CASCADE, related_name="deliveries")
    delivery = models.CharField(max_length=100)  # the sender's id
    at = models.DateTimeField(db_default=Now())
    shown_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    execution = models.ForeignKey(
        Execution, null=True, on_delete=models.CASCADE, related_name="deliveries"
    )
    refusal = models.TextField(blank=True)  # why none was started

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["trigger", "delivery"], name="delivery_once"),
            models.CheckConstraint(
                condition=Q(execution__isnull=True) | Q(refusal=""), name="delivery_one_end"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # how many there were in the last minute
            models.Index(fields=["trigger", "at"], name="delivery_lately")
        ]

    def __str__(self) -> str:
        return f"{self.delivery} of {self.trigger_id}"
