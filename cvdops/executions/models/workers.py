"""Workers: that they live, what they look at on hosts, and the locks of the executions that they carry out."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from cvdops.environments.models import Environment, Host
from cvdops.executions.models.execution import Execution, StepRun
from cvdops.executions.states import CHECK_LOOKS, Look
from cvdops.lib.ids import uuid7


class Lock(models.Model):
    """A named lock of an environment, held by an execution or by one of its running steps."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=63)
    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="locks")
    step = models.ForeignKey(StepRun, null=True, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["environment", "name"], name="lock_one_holder")
        ]

    def __str__(self) -> str:
        return self.name


class HostCheck(models.Model):
    """A look at a host, asked for by a person and done by a worker of its environment."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="checks")
    tools = models.JSONField(default=list)  # commands that should be there
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(db_default=Now())
    begun_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    results = models.JSONField(default=list)  # {"name", "state", "text", "milliseconds"} each
    keys = models.JSONField(default=list)  # {"kind", "key", "fingerprint"} that the host showed

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        return str(self.host)

    @property
    def look(self) -> Look:
        if self.done_at is None:
            return CHECK_LOOKS["begun" if self.begun_at else "asked"]
        states = {result["state"] for result in self.results}
        worst = next((state for state in ("failed", "warning") if state in states), "ok")
        return CHECK_LOOKS[worst]


class Worker(models.Model):
    """A worker process: when it last said that it lives, and last proved that it consumes messages."""

    name = models.CharField(primary_key=True, max_length=120)
    queues = models.JSONField(default=list)
    seen_at = models.DateTimeField()
    consumed_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)  # it ended in order

    def __str__(self) -> str:
        return self.name
