"""Answers that are kept for programs that did not get them."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class KeptAnswer(models.Model):
    """What a call with an `Idempotency-Key` was answered, written in the transaction of its effect."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    route = models.CharField(max_length=80)  # the name of the call's address
    key = models.CharField(max_length=255)
    # Of the path and the body, keyed: a body may hold a secret that could be guessed from a plain hash.
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)  # 0 only within the transaction
    body = models.BinaryField(default=bytes)  # sealed: some calls answer with a password
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "route", "key"], name="kept_answer_once")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["made_at"], name="kept_answer_made_at")
        ]

    def __str__(self) -> str:
        return f"{self.route} {self.key}"
