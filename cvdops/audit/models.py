"""The audit log. The database itself refuses to change or remove an entry (see the migrations)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from cvdops.lib.values import said


class AuditEntry(models.Model):
    """One thing that somebody did, or was refused."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now())
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=60)  # the kind of thing: "execution", "session" …
    subject_id = models.CharField(max_length=80)
    allowed = models.BooleanField(default=True)  # False: the attempt was refused
    data = models.JSONField(default=dict)
    address = models.GenericIPAddressField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["subject", "subject_id"], name="audit_subject"),
            models.Index(fields=["action", "-id"], name="audit_action"),
            models.Index(fields=["at"], name="audit_at"),  # since and until, in a long log
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject} {self.subject_id}"

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What it says, as names and values (a template would take `data.items` for a name)."""
        return [(name, said(value)) for name, value in self.data.items()]


class Seal(models.Model):
    """A link of the chain, written by the database at commit: the hash of an entry and of the link before."""

    number = models.BigIntegerField(primary_key=True)  # 1, 2, 3 …: the order of the commits
    entry_id = models.BigIntegerField(
        unique=True
    )  # no foreign key: its check would wait for others
    hash = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.number} {bytes(self.hash).hex()}"


class Witness(models.Model):
    """How the running check of the chain stands: one row. It goes over all links, again and again."""

    looked_at = models.DateTimeField(null=True)
    number = models.BigIntegerField(default=0)  # checked up to here in this round
    hash = models.BinaryField(default=b"")
    whole_number = models.BigIntegerField(default=0)  # how far the last whole round went
    whole_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True)  # stays until a whole round has found nothing
    noted_at = models.DateTimeField(
        null=True
    )  # when the head was last written outside the database
    outside = models.TextField(blank=True)  # why it could not be

    def __str__(self) -> str:
        return self.problem or f"whole up to {self.whole_number}"
