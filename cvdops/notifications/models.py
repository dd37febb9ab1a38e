"""A notice for a person in the portal, and the outbox of messages to addresses outside it."""

from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Notice(models.Model):
    """Something that one person should know. It is told once: the key says what it is about."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices"
    )
    subject = models.CharField(max_length=80)  # "approval:ID": what settles it when it is over
    key = models.CharField(max_length=160)
    text = models.CharField(max_length=400)
    path = models.CharField(max_length=300)  # of the page where it is dealt with
    at = models.DateTimeField(db_default=Now())
    read_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "key"], name="notice_once")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["user", "-id"], name="notice_of_user"),
            models.Index(
                fields=["subject"], condition=Q(read_at__isnull=True), name="notice_unread"
            ),
        ]

    def __str__(self) -> str:
        return self.text

    @classmethod
    def asked_lately(cls, subject: str) -> bool:
        """Whether somebody was told of this within the last hour."""
        return cls.objects.filter(subject=subject, at__gt=Now() - timedelta(hours=1)).exists()


class Message(models.Model):
    """One text to one address. Sent at least once: a worker that dies while it sends leaves it to the next."""

    key = models.CharField(max_length=160)
    channel = models.CharField(max_length=40)  # a name in CVDOPS_NOTIFY
    recipient = models.CharField(
        max_length=254, blank=True
    )  # an e-mail address; empty: the channel
    title = models.CharField(max_length=200)
    body = models.TextField()
    at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now(), null=True)  # none: sent, or given up
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)  # why the last try failed

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["key", "channel", "recipient"], name="message_once")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="message_due")
        ]

    def __str__(self) -> str:
        return f"{self.title} → {self.recipient or self.channel}"
