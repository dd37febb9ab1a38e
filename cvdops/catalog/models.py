"""Runbooks and their versions. A version is never changed; what runs is one of them."""

from typing import ClassVar

from django.db import models

from cvdops.spec.document import Category


class Group(models.TextChoices):
    CORE = "core", "Core operations"
    EMERGENCY = "emergency", "Emergency response"


class Runbook(models.Model):
    """A runbook by its stable id. `current` is the newest version that can be executed."""

    id = models.SlugField(primary_key=True, max_length=80)
    path = models.CharField(max_length=300)
    category = models.CharField(max_length=20, choices=[(c.value, c.value) for c in Category])
    group = models.CharField(max_length=12, choices=Group, default=Group.CORE)
    title = models.CharField(max_length=200)
    current = models.ForeignKey(
        "RunbookVersion", null=True, on_delete=models.PROTECT, related_name="+"
    )
    newest = models.ForeignKey(
        "RunbookVersion", null=True, on_delete=models.PROTECT, related_name="+"
    )
    removed_at = models.DateTimeField(null=True)  # gone from the source; its history stays

    class Meta:
        ordering: ClassVar[list[str]] = ["title"]

    def __str__(self) -> str:
        return self.id


class RunbookVersion(models.Model):
    """One content of a runbook's file, as it was at one commit."""

    runbook = models.ForeignKey(Runbook, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    label = models.CharField(max_length=40, blank=True)  # `version:` of the front matter
    commit = models.CharField(max_length=64, blank=True)
    author = models.CharField(max_length=200, blank=True)
    committed_at = models.DateTimeField(null=True)
    content_hash = models.CharField(max_length=64)  # SHA-256 of the bytes, hex
    source = models.TextField()
    metadata = models.JSONField(default=dict)
    diagnostics = models.JSONField(default=list)
    executable = models.BooleanField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["runbook", "number"], name="version_number"),
            models.UniqueConstraint(
                fields=["runbook", "commit", "content_hash"], name="version_content"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.runbook_id} {self.label or self.number}"
