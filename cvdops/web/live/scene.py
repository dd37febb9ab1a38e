"""What everybody who may see an execution sees of it: read once, the same for all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from hashlib import sha256
from itertools import groupby
from uuid import UUID

from django.db.models import Prefetch
from django.db.models.functions import Now

from cvdops.approvals.models import ApprovalRequest, Decision, RequestState
from cvdops.catalog.queries import document
from cvdops.executions.models import ChecklistMark, Execution, StepAttempt, StepRun, Worker
from cvdops.executions.plan import PEOPLE, Plan
from cvdops.executions.queries import planned
from cvdops.executions.rollback import UndoEntry, undo_stack
from cvdops.executions.states import (
    HELD,
    STEP_DONE,
    STEP_STUCK,
    ExecutionState,
    Phase,
    StepState,
)
from cvdops.spec.document import SectionKind, Step, Troubleshooting
from cvdops.web.live.timeline import Entry, Note, read

WORKER_SEEN = timedelta(seconds=30)
AT_WORK = frozenset({StepState.RUNNING, StepState.WAITING}) | STEP_STUCK


@dataclass(frozen=True, slots=True)
class Row:
    """A step run with its definition, its latest attempt and its checklist."""

    step: StepRun
    definition: Step
    number: int
    link: str  # the value of ?step=
    attempt: StepAttempt | None
    marks: tuple[ChecklistMark, ...]
    current: bool

    @property
    def has_output(self) -> bool:
        return self.definition.kind not in PEOPLE

    @property
    def done(self) -> bool:
        return self.step.state in STEP_DONE


@dataclass(frozen=True, slots=True)
class Section:
    heading: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` steps of the present phase, in the tone of the execution."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Captured:
    """A variable whose value the execution itself has set."""

    name: str
    value: str
    host: str


@dataclass(frozen=True)
class Scene:
    """One look at an execution. Nothing in it depends on who looks."""

    execution: Execution
    plan: Plan
    rows: tuple[Row, ...]
    requests: tuple[ApprovalRequest, ...]
    marks: tuple[ChecklistMark, ...]
    timeline: tuple[Entry, ...]
    notes: tuple[Note, ...]
    now: datetime
    served: bool  # a worker serves the environment's queue

    @cached_property
    def focus(self) -> Row | None:
        """The step that matters now: the one at work, else the last that was begun, else the first."""
        current = [row for row in self.rows if row.current]
        begun = sorted(
            (row for row in self.rows if row.step.started_at),
            key=lambda row: row.step.started_at or self.now,
        )
        return next(iter([*current, *begun[-1:], *self.rows[:1]]), None)

    @property
    def has_output(self) -> bool:
        """Whether the step that matters now is one that writes."""
        return self.focus is not None and self.focus.has_output

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        grouped = groupby(self.rows, key=lambda row: (row.step.phase, row.step.section))
        return tuple(Section(self._heading(*key), tuple(rows)) for key, rows in grouped)

    def _heading(self, phase: str, section: str) -> str:
        if phase == Phase.ROLLBACK:
            return "Rollback"
        if section == SectionKind.PROCEDURES:
            return self.procedure_title
        return section.capitalize()

    @cached_property
    def procedure_title(self) -> str:
        titles = {p.key: p.title for p in document(self.execution.version).procedures}
        return titles.get(self.execution.procedure, self.execution.procedure)

    @cached_property
    def progress(self) -> Progress:
        rows = [row for row in self.rows if row.step.phase == self.execution.phase]
        return Progress(sum(row.done for row in rows), len(rows))

    @cached_property
    def undo(self) -> tuple[UndoEntry, ...]:
        return undo_stack(self.plan, [row.step for row in self.rows])

    @cached_property
    def approvals(self) -> tuple[ApprovalRequest, ...]:
        """Those that were decided."""
        return tuple(r for r in self.requests if r.state != RequestState.OPEN)

    @cached_property
    def gate(self) -> ApprovalRequest | None:
        """The one that is open."""
        return next((r for r in self.requests if r.state == RequestState.OPEN), None)

    @cached_property
    def captured(self) -> tuple[Captured, ...]:
        return tuple(
            Captured(name, str(value), host)
            for host, session in sorted(self.execution.session.items())
            for name, value in sorted(session.get("variables", {}).items())
            if self.execution.variables.get(name) != value
        )

    @property
    def lost_worker(self) -> bool:
        """A worker should hold it, and its lease has run out."""
        until = self.execution.lease_until
        return self.execution.state in HELD and (until is None or until < self.now)

    @property
    def queued_for_nobody(self) -> bool:
        return self.execution.state == ExecutionState.QUEUED and not self.served

    @cached_property
    def after(self) -> tuple[ChecklistMark, ...]:
        return tuple(m for m in self.marks if m.moment == ChecklistMark.Moment.AFTER)

    @cached_property
    def before(self) -> tuple[ChecklistMark, ...]:
        return tuple(m for m in self.marks if m.moment == ChecklistMark.Moment.BEFORE)

    def troubleshooting(self) -> tuple[Troubleshooting, ...]:
        """What the document says about things that go wrong."""
        return document(self.execution.version).troubleshooting

    def row(self, wanted: str) -> Row | None:
        """By the step's id in the document or the step run's own id."""
        return next((r for r in self.rows if wanted in {r.link, r.step.key, str(r.step.pk)}), None)

    @cached_property
    def controls_key(self) -> str:
        """Changes whenever what a person could do may have changed."""
        execution = self.execution
        parts = (
            execution.state,
            execution.intent,
            execution.phase,
            tuple((r.step.pk, r.step.state) for r in self.rows if r.step.state in AT_WORK),
            tuple((m.pk, m.confirmed_at) for m in self.marks),
            tuple((r.pk, r.state, len(r.decisions.all())) for r in self.requests),
            len(self.undo),
        )
        return sha256(repr(parts).encode()).hexdigest()[:16]


def look(execution_id: UUID) -> Scene:
    """Read everything. Raises Execution.DoesNotExist."""
    found = Execution.objects.select_related("runbook", "version", "environment", "requested_by")
    execution = (
        found.defer("version__source", "version__diagnostics", "plan")
        .annotate(now=Now())
        .get(pk=execution_id)
    )
    plan = _plan(execution.pk)
    marks = tuple(
        ChecklistMark.objects.filter(execution=execution)
        .select_related("confirmed_by")
        .order_by("position")
    )
    decisions = Prefetch("decisions", Decision.objects.select_related("user"))
    requests = ApprovalRequest.objects.filter(execution_id=execution.pk).order_by("created_at")
    timeline, notes = read(execution)
    return Scene(
        execution=execution,
        plan=plan,
        rows=_rows(execution, plan, marks),
        requests=tuple(requests.prefetch_related(decisions)),
        marks=marks,
        timeline=timeline,
        notes=notes,
        now=execution.now,
        served=execution.state != ExecutionState.QUEUED or _served(execution),
    )


@lru_cache(maxsize=64)
def _plan(execution_id: UUID) -> Plan:
    """A plan never changes, so it is read once per process."""
    return planned(Execution.objects.only("plan").get(pk=execution_id))


def _rows(execution: Execution, plan: Plan, marks: Sequence[ChecklistMark]) -> tuple[Row, ...]:
    steps = list(StepRun.objects.filter(execution=execution).order_by("phase", "position", "host"))
    latest = StepAttempt.objects.filter(step__execution=execution).order_by("step_id", "-number")
    attempts = {attempt.step_id: attempt for attempt in latest.distinct("step_id")}
    keys = [step.key for step in steps]
    current = _current(execution, steps)
    numbers: dict[str, int] = {}
    rows = []
    for step in steps:
        numbers[step.phase] = numbers.get(step.phase, 0) + 1
        rows.append(
            Row(
                step=step,
                definition=plan.step(step.key).step,
                number=numbers[step.phase],
                link=step.key if keys.count(step.key) == 1 else str(step.pk),
                attempt=attempts.get(step.pk),
                marks=tuple(mark for mark in marks if mark.step_id == step.pk),
                current=step is current,
            )
        )
    return tuple(rows)


def _current(execution: Execution, steps: Sequence[StepRun]) -> StepRun | None:
    if execution.is_over:
        return None
    here = [step for step in steps if step.phase == execution.phase]
    at_work = [step for step in here if step.state in AT_WORK]
    return at_work[-1] if at_work else None


def _served(execution: Execution) -> bool:
    alive = Worker.objects.filter(seen_at__gte=Now() - WORKER_SEEN)
    return alive.filter(queues__contains=[execution.environment.queue]).exists()
