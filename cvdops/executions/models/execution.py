"""An execution, its steps, attempts, output and events."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from cvdops.catalog.models import Runbook, RunbookVersion
from cvdops.environments.models import Environment
from cvdops.executions.states import (
    ACTIVE,
    CHILD,
    ENDING,
    EXECUTION_LOOKS,
    HELD,
    IN_PART,
    STEP_LOOKS,
    TERMINAL,
    TRIED_AGAIN,
    ExecutionState,
    Intent,
    Look,
    Phase,
    StepState,
)
from cvdops.lib.ids import uuid7

_STATES = [(s.value, EXECUTION_LOOKS[s].label) for s in ExecutionState]
_STEP_STATES = [(s.value, STEP_LOOKS[s].label) for s in StepState]


def _values(states: frozenset[ExecutionState]) -> list[str]:
    # In one order: a set's own changes from process to process, and each time asks for a migration.
    return sorted(state.value for state in states)


class NextNumber(models.Func):
    """The next number of an execution, as people say it: “number 1042”."""

    template = "nextval('execution_number')"
    arity = 0
    output_field = models.BigIntegerField()


class NotSaved(models.Model):
    """A row that is created once and then changed by guarded updates only."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError(f"{type(self).__name__} is changed by transitions, never by save().")
        super().save(*args, **kwargs)


class Execution(NotSaved):
    """One run of a procedure. Its definition (`plan`) is pinned at the start and never changes."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    number = models.BigIntegerField(unique=True, db_default=NextNumber())
    runbook = models.ForeignKey(Runbook, on_delete=models.PROTECT, related_name="executions")
    version = models.ForeignKey(
        RunbookVersion, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    procedure = models.CharField(max_length=120)
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="+")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="executions"
    )
    reason = models.TextField(blank=True)
    variables = models.JSONField(default=dict)  # name → value as resolved at the start; no secrets
    sealed = models.BinaryField(default=bytes)  # the secret ones, encrypted
    plan = models.JSONField()
    plan_digest = models.CharField(max_length=64)

    state = models.CharField(max_length=14, choices=_STATES, default=ExecutionState.QUEUED)
    phase = models.CharField(max_length=8, default=Phase.FORWARD)
    intent = models.CharField(max_length=8, default=Intent.NONE, blank=True)
    # {"code", "text", "step"?}: what it waits for, in words; since when is `state_since`
    waiting_for = models.JSONField(default=dict)
    state_since = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(null=True)  # when rescue() should look at it again
    opens_at = models.DateTimeField(
        null=True
    )  # queued for the window that opens then; has not begun
    session = models.JSONField(default=dict)  # host → {"variables": {…}, "cwd": "…"}
    outcome = models.TextField(blank=True)  # one sentence about how it ended

    # Rises by one with every event and every piece of output, under the row's lock: so a reader who
    # has everything up to n and asks for more than n misses nothing and gets nothing twice.
    seq = models.BigIntegerField(default=0)

    lease_owner = models.CharField(max_length=120, blank=True)
    lease_token = models.BigIntegerField(default=0)  # the fencing token: rises with every claim
    lease_until = models.DateTimeField(null=True)
    lost_leases = models.PositiveSmallIntegerField(default=0)  # without progress in between

    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    idempotency_key = models.CharField(max_length=80, null=True)  # noqa: DJ001 — null is "none given"

    # A child: started by a `runbook` step of another execution, once for each time it was opened.
    parent = models.ForeignKey(
        "StepRun", null=True, on_delete=models.PROTECT, related_name="children"
    )
    parent_attempt = models.PositiveIntegerField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(state__in=_values(TERMINAL), finished_at__isnull=False)
                | (~Q(state__in=_values(TERMINAL)) & Q(finished_at__isnull=True)),
                name="execution_finished_has_time",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True) | Q(waiting_for={}),
                name="execution_over_waits_for_nothing",
            ),
            models.CheckConstraint(
                condition=Q(lease_until__isnull=True) | Q(state__in=_values(HELD)),
                name="execution_lease_only_while_held",
            ),
            models.UniqueConstraint(
                fields=["requested_by", "idempotency_key"], name="execution_idempotency"
            ),
            models.UniqueConstraint(fields=["parent", "parent_attempt"], name="execution_child"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # rescue(): what is not at its end
            models.Index(
                fields=["state"],
                condition=Q(state__in=_values(ACTIVE)),
                name="execution_active",
            ),
            # history: by runbook, environment, person, state; newest first
            models.Index(fields=["runbook", "-id"], name="execution_by_runbook"),
            models.Index(fields=["environment", "-id"], name="execution_by_environment"),
            models.Index(fields=["requested_by", "-id"], name="execution_by_person"),
            models.Index(fields=["state", "-id"], name="execution_by_state"),
            # history: by procedure; by the name of a variable, and its value; by the words of the reason
            models.Index(fields=["procedure", "-id"], name="execution_by_procedure"),
            GinIndex(fields=["variables"], name="execution_by_variable"),
            GinIndex(SearchVector("reason", config="simple"), name="execution_by_reason"),
            # launch, decisions, comparing: what the same procedure did there before, newest first; how long its
            # rollbacks took, which are few
            models.Index(
                fields=["runbook", "environment", "procedure", "-id"], name="execution_of_procedure"
            ),
            models.Index(
                fields=["runbook", "environment", "procedure", "-id"],
                condition=Q(state=ExecutionState.ROLLED_BACK.value),
                name="execution_rolled_back",
            ),
            # the page of a runbook: how a version ran last, and when it last succeeded where it is tested
            models.Index(fields=["version", "-id"], name="execution_by_version"),
            models.Index(
                fields=["version", "environment", "-id"],
                condition=Q(state=ExecutionState.SUCCEEDED.value),
                name="execution_tested",
            ),
            # closing: what has ended and whose list after the end was not laid out yet
            models.Index(
                fields=["finished_at"],
                condition=Q(finished_at__isnull=False),
                name="execution_ended",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.number}"

    @property
    def look(self) -> Look:
        if self.state == ExecutionState.ROLLED_BACK and self.outcome:  # it says what is left
            return IN_PART
        return EXECUTION_LOOKS[self.state]

    @property
    def is_over(self) -> bool:
        return self.state in TERMINAL

    @property
    def ending(self) -> bool:
        """Somebody asked for its end, and a worker sees to it that nothing of it runs any more."""
        return self.intent in ENDING and not self.is_over

    @property
    def waits_for_child(self) -> bool:
        """It stands at a step that has started another execution."""
        return self.state == ExecutionState.WAITING and self.waiting_for.get("code") == CHILD


class StepRun(NotSaved):
    """One step of an execution on one host."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="steps")
    phase = models.CharField(max_length=8, default=Phase.FORWARD)
    position = models.PositiveIntegerField()
    key = models.CharField(max_length=120)  # the step's id in the document
    host = models.CharField(max_length=63, blank=True)  # empty where no host is concerned
    lane = models.PositiveSmallIntegerField(default=0)  # the how-manieth of the step's hosts
    section = models.CharField(max_length=20)
    kind = models.CharField(max_length=12)
    title = models.CharField(max_length=300)

    state = models.CharField(max_length=12, choices=_STEP_STATES, default=StepState.PENDING)
    attempt_count = models.PositiveIntegerField(default=0)
    tries = models.PositiveIntegerField(default=0)  # since a person last asked; counts for `retry=`
    due_at = models.DateTimeField(null=True)  # while pending: not before this time
    exit_code = models.SmallIntegerField(null=True)
    note = models.TextField(blank=True)  # why it is in this state, in words
    sample = models.CharField(max_length=16, blank=True)  # kept | differs | not_comparable
    sample_detail = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)  # its rollback step succeeded
    unconfirmed = models.BooleanField(default=False)  # asked to stop; nobody saw that it did

    class Meta:
        ordering: ClassVar[list[str]] = ["phase", "position", "lane"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["execution", "key", "host"], name="step_once_per_host"),
            models.UniqueConstraint(
                fields=["execution", "phase", "position", "host"], name="step_position"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # history: by host, newest first
            models.Index(fields=["host", "-execution"], condition=~Q(host=""), name="step_by_host")
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def look(self) -> Look:
        if self.state == StepState.PENDING and self.due_at:
            return TRIED_AGAIN
        return STEP_LOOKS[self.state]


class StepAttempt(NotSaved):
    """One try of a step. Its id names the job directory on the target."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    step = models.ForeignKey(StepRun, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=_STEP_STATES, default=StepState.RUNNING)
    # Recorded before the script travels: what the target was, so that a claim missing on another
    # machine behind the same name is never mistaken for one that was never made.
    sent_at = models.DateTimeField(db_default=Now())
    spool = models.CharField(max_length=64)
    boot_id = models.CharField(max_length=64)
    finished_at = models.DateTimeField(null=True)
    exit_code = models.SmallIntegerField(null=True)
    output_size = models.BigIntegerField(default=0)  # bytes, as stored (masked)
    output_digest = models.CharField(max_length=64, blank=True)  # SHA-256 of those bytes, hex
    searched = models.BooleanField(default=False, db_default=False)  # its words are in the index
    # When somebody looks whether its files are gone from its host. Null: they are, or are not to be removed.
    clean_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["step", "number"], name="attempt_number"),
            models.UniqueConstraint(
                fields=["step"], condition=Q(state="running"), name="attempt_one_running"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # the search: what is over and not in its index yet, and how far that reaches
            models.Index(
                fields=["-finished_at"],
                condition=Q(finished_at__isnull=False, output_size__gt=0, searched=False),
                name="attempt_unsearched",
            ),
            # workers: what may still have files on its host
            models.Index(
                fields=["clean_at"],
                condition=Q(clean_at__isnull=False),
                name="attempt_uncleaned",
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number}"


class OutputSegment(models.Model):
    """A piece of an attempt's output: masked, compressed with zstd. The table is partitioned by month."""

    pk = models.CompositePrimaryKey("attempt_id", "offset", "created_at")
    # No foreign keys: retention drops whole partitions, and inserts are on the hot path.
    attempt = models.ForeignKey(
        StepAttempt, on_delete=models.DO_NOTHING, db_constraint=False, related_name="segments"
    )
    offset = models.BigIntegerField()  # of the first byte, in the stored output
    length = models.IntegerField()  # bytes, uncompressed
    source_end = models.BigIntegerField()  # how much of the spool file is stored with this one
    execution = models.ForeignKey(
        Execution, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    seq = models.BigIntegerField()
    data = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        managed = False
        db_table = "executions_outputsegment"

    def __str__(self) -> str:
        return f"{self.offset}+{self.length}"


class Event(models.Model):
    """Something that happened to an execution, in the order in which it happened."""

    id = models.BigAutoField(primary_key=True)
    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="events")
    seq = models.BigIntegerField()
    kind = models.CharField(max_length=40)  # execution.<event> | step.<event> | note | …
    step = models.ForeignKey(StepRun, null=True, on_delete=models.CASCADE, related_name="+")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    data = models.JSONField(default=dict)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering: ClassVar[list[str]] = ["seq"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["execution", "seq"], name="event_seq")
        ]

    def __str__(self) -> str:
        return self.kind
