"""What the last look has found, for those who were not there."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models


class Examination(models.Model):
    """What `doctor` has found on a machine when it was last asked to keep it."""

    machine = models.CharField(primary_key=True, max_length=255)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField(null=True)  # on the page, and it has not ended yet
    done_at = models.DateTimeField(null=True)
    findings: "models.JSONField[list[dict[str, Any]]]" = models.JSONField(default=list)

    class Meta:
        app_label = "web"  # the app of the pages has its table
        ordering: ClassVar[list[str]] = ["machine"]

    def __str__(self) -> str:
        return self.machine
