"""Runbooks, their versions, who reviewed them, and where they come from.

A version is never changed; what runs is one of them.
"""

from typing import ClassVar

from django.conf import settings
from django.db import models

from cvdops.spec.document import Category


class Group(models.TextChoices):
    CORE = "core", "Core operations"
    EMERGENCY = "emergency", "Emergency response"


class Runbook(models.Model):
    """A runbook by its stable id. `current` is the newest version that can be executed."""

    id = models.SlugField(primary_key=True, max_length=80)
    path = models.CharField(max_length=300)
    category = models.CharField(  # empty: the document names none, so that nobody can start it
        max_length=20, choices=[(c.value, c.value) for c in Category], blank=True
    )
    group = models.CharField(max_length=12, choices=Group, default=Group.CORE)
    title = models.CharField(max_length=200)
    current = models.ForeignKey(
        "RunbookVersion", null=True, on_delete=models.PROTECT, related_name="+"
    )
    newest = models.ForeignKey(
        "RunbookVersion", null=True, on_delete=models.PROTECT, related_name="+"
    )
    removed_at = models.DateTimeField(null=True)  # gone from the source; its history stays
    obstacles = models.JSONField(default=list)  # diagnostics that depend on other runbooks

    class Meta:
        ordering: ClassVar[list[str]] = ["title"]

    def __str__(self) -> str:
        return self.id


class RunbookVersion(models.Model):
    """One content of a runbook's file, as it was at one commit."""

    runbook = models.ForeignKey(Runbook, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    label = models.CharField(max_length=40, blank=True)  # `version:` of the front matter
    path = models.CharField(max_length=300, blank=True)  # of the file in the source, at that time
    commit = models.CharField(max_length=64, blank=True)
    author = models.CharField(max_length=200, blank=True)
    author_email = models.CharField(max_length=254, blank=True)
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


class VersionReview(models.Model):
    """A person other than the author has read a version and found it right."""

    version = models.ForeignKey(RunbookVersion, on_delete=models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    comment = models.TextField(blank=True)
    reviewed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["reviewed_at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["version", "reviewer"], name="one_review_each")
        ]

    def __str__(self) -> str:
        return f"{self.version} reviewed by {self.reviewer_id}"


class CatalogSource(models.Model):
    """Where the runbooks come from, and how the last looks at it ended. There is one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    location = models.CharField(max_length=500)  # a folder, or the address of a Git repository
    branch = models.CharField(max_length=200, blank=True)
    folder = models.CharField(max_length=300, blank=True)  # inside the repository
    head = models.CharField(max_length=64, blank=True)  # the commit the catalog stands at
    looked_at = models.DateTimeField(null=True)  # the last try, whether it could be read or not
    read_at = models.DateTimeField(null=True)  # the last time that it could be read
    asked_at = models.DateTimeField(null=True)  # the last time that a worker was asked to look
    problem = models.TextField(blank=True)  # why the last try failed; empty after a good one
    problem_since = models.DateTimeField(null=True)
    report = models.JSONField(default=list)  # what the last sync did, per file

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(id=1), name="one_catalog_source")
        ]

    def __str__(self) -> str:
        return self.location
