"""Roles, who holds them, and the permissions matrix."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import ExpressionWrapper, Q
from django.db.models.functions import Now

from cvdops.access.certification import Stage
from cvdops.access.levels import Level
from cvdops.environments.models import Environment
from cvdops.spec.document import Category


class Role(models.Model):
    """A row of the matrix. The flags are rights that no cell of the matrix gives."""

    slug = models.SlugField(primary_key=True, max_length=40)
    name = models.CharField(max_length=80)
    order = models.PositiveSmallIntegerField(default=0)
    leads = models.BooleanField(default=False)  # Execute amounts to Lead: may skip and settle
    reads_audit = models.BooleanField(default=False)
    administers = models.BooleanField(default=False)  # accounts and settings

    class Meta:
        ordering: ClassVar[list[str]] = ["order"]

    def __str__(self) -> str:
        return self.slug


class MatrixCell(models.Model):
    """The level of a role for a category."""

    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="cells")
    category = models.CharField(max_length=20, choices=[(c.value, c.value) for c in Category])
    level = models.PositiveSmallIntegerField(choices=[(v.value, v.label) for v in Level])

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["role", "category"], name="matrix_cell")
        ]

    def __str__(self) -> str:
        return f"{self.role_id} × {self.category}"


class GrantQuerySet(models.QuerySet["RoleGrant"]):
    def in_force(self, at: datetime | None = None) -> "GrantQuerySet":
        """The grants that hold at a time (default: now, by the database's clock)."""
        moment = at or Now()
        return self.filter(
            Q(starts_at__isnull=True) | Q(starts_at__lte=moment),
            Q(ends_at__isnull=True) | Q(ends_at__gt=moment),
        )

    def for_environment(self, slug: str) -> "GrantQuerySet":
        """The grants that count in an environment; without one, those that hold everywhere."""
        return self.filter(Q(environment__isnull=True) | Q(environment=slug or None))


class RoleGrant(models.Model):
    """A role held by a person: everywhere or in one environment, for ever or for a time (on-call)."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="grants"
    )
    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="grants")
    environment = models.ForeignKey(Environment, null=True, on_delete=models.CASCADE)
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)

    objects = GrantQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True)
                | Q(ends_at__isnull=True)
                | Q(starts_at__lt=models.F("ends_at")),
                name="grant_begins_before_it_ends",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.role_id}"


class ApproverGroup(models.Model):
    """People named one by one who may approve where a gate or policy names their group."""

    slug = models.SlugField(primary_key=True, max_length=40)
    name = models.CharField(max_length=80)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="approver_groups")

    class Meta:
        ordering: ClassVar[list[str]] = ["slug"]

    def __str__(self) -> str:
        return self.slug


class DelegationQuerySet(models.QuerySet["Delegation"]):
    def in_force(self, at: datetime | None = None) -> "DelegationQuerySet":
        """Those that hold at a time (default: now, by the database's clock), between active people."""
        moment = at or Now()
        return self.filter(
            Q(ended_at__isnull=True) | Q(ended_at__gt=moment),
            starts_at__lte=moment,
            ends_at__gt=moment,
            giver__is_active=True,
            receiver__is_active=True,
        )


class Delegation(models.Model):
    """Somebody decides on behalf of another for a time. What was received is not passed on."""

    giver = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    receiver = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.CharField(max_length=200)
    created_at = models.DateTimeField(db_default=Now())
    starts_at = models.DateTimeField(db_default=Now())
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)  # before its time

    objects = DelegationQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=~Q(giver=models.F("receiver")), name="delegation_to_somebody_else"
            ),
            models.CheckConstraint(
                condition=Q(starts_at__lt=models.F("ends_at")),
                name="delegation_begins_before_it_ends",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # for whom somebody may decide now
            models.Index(fields=["receiver", "ends_at"], name="delegation_received")
        ]

    def __str__(self) -> str:
        return f"{self.giver_id} → {self.receiver_id}"


_BOOLEAN = models.BooleanField()


class CertificationQuerySet(models.QuerySet["Certification"]):
    def newest(self, at: datetime | None = None) -> "CertificationQuerySet":
        """The one of each person that counts at a time (default: now, by the database's clock)."""
        moment = at or Now()
        granted = self.filter(granted_at__lte=moment).order_by("user_id", "-id").distinct("user_id")
        return granted.annotate(expired=ExpressionWrapper(Q(expires_at__lte=moment), _BOOLEAN))


class Certification(models.Model):
    """A rung of the ladder, granted to a person until the next assessment. The newest counts."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="certifications"
    )
    stage = models.PositiveSmallIntegerField(choices=[(s.value, s.label) for s in Stage])
    granted_by = models.ForeignKey(  # null: they were there before there were certifications
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    granted_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    note = models.TextField(blank=True)
    evidence = models.JSONField(default=list)  # sentences: what the portal had seen by then

    objects = CertificationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(granted_by__isnull=True) | ~Q(granted_by=models.F("user")),
                name="certification_by_another",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("granted_at")),
                name="certification_for_a_time",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["user", "-id"], name="certification_newest")
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {Stage(self.stage).label}"
