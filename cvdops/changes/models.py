"""One change of one thing: what it was, what it is to be, who proposed it and who decided. Also the history."""

from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from cvdops.lib.ids import uuid7

OPEN_FOR = timedelta(days=30)  # then a proposal has expired


class ChangeState(models.TextChoices):
    PROPOSED = "proposed", "Waits for a second person"
    APPLIED = "applied", "Applied"
    REFUSED = "refused", "Refused"
    WITHDRAWN = "withdrawn", "Withdrawn"
    STALE = "stale", "Overtaken"  # it is no longer what the proposal was made from
    EXPIRED = "expired", "Expired"  # nobody decided it in time, so nobody is named


class Change(models.Model):
    """`kind` is an entry of `changes.kinds`, `key` names one thing of it; None is the value of nothing."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=200)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.TextField()
    guarded = models.BooleanField()  # takes a second person
    state = models.CharField(max_length=10, choices=ChangeState, default=ChangeState.PROPOSED)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    proposer = models.UUIDField()  # the person, of whom there may be two accounts
    proposed_at = models.DateTimeField(db_default=Now())
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decider = models.UUIDField(null=True)
    decided_at = models.DateTimeField(null=True)
    comment = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["kind", "key"], condition=Q(state="proposed"), name="change_one_open"
            ),
            models.CheckConstraint(
                condition=Q(state="proposed", decided_at__isnull=True)
                | Q(state="expired", decided_at__isnull=False, decider__isnull=True)
                | (
                    ~Q(state__in=["proposed", "expired"])
                    & Q(decided_at__isnull=False, decider__isnull=False)
                ),
                name="change_decided_has_time_and_person",
            ),
            models.CheckConstraint(
                condition=~Q(guarded=True, state="applied") | ~Q(decider=F("proposer")),
                name="change_guarded_by_two_persons",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["kind", "key", "-id"], name="change_history")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key} ({self.state})"

    @property
    def is_open(self) -> bool:
        return self.state == ChangeState.PROPOSED
