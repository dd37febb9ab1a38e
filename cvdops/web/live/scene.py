"""What everybody who may see an execution sees of it: the same for all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from itertools import groupby
from uuid import UUID

from cvdops.approvals.models import ApprovalRequest, Decision, RequestState
from cvdops.catalog.models import RunbookVersion
from cvdops.catalog.queries import document
from cvdops.environments.schedule import State
from cvdops.executions.inputs import Input
from cvdops.executions.models import (
    ChecklistMark,
    Closing,
    Execution,
    Participant,
    StepAttempt,
    StepRun,
)
from cvdops.executions.pace import Run, Slow
from cvdops.executions.past import Ahead, ahead
from cvdops.executions.plan import PEOPLE, Plan
from cvdops.executions.queries import may_turn
from cvdops.executions.queues import Gap
from cvdops.executions.resolved import planned
from cvdops.executions.rollback import UndoEntry, undo_stack
from cvdops.executions.situation import Situation
from cvdops.executions.standstill import SILENCE, unheard
from cvdops.executions.states import (
    HELD,
    STEP_DONE,
    STEP_STUCK,
    ExecutionState,
    Phase,
    StepState,
)
from cvdops.executions.worked import Within
from cvdops.live.answers import is_answer
from cvdops.live.captured import Captured, captured
from cvdops.live.timeline import Entry, Note
from cvdops.spec.document import Kind, SectionKind, Step, Troubleshooting
from cvdops.web.live.waiting import Wait

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
    spread: bool  # its step runs on several hosts: its title alone does not tell which
    child: Execution | None = None  # the latest one that it started
    slow: Slow | None = None  # it has ended, and took longer than 95 % of its past runs

    @property
    def has_output(self) -> bool:
        return self.attempt is not None and self.writes

    @property
    def writes(self) -> bool:
        """Its kind has an output."""
        return self.definition.kind not in PEOPLE | {Kind.RUNBOOK}

    @property
    def is_answer(self) -> bool:
        """What it wrote is what came back to a request."""
        return is_answer(self.step)

    @property
    def cut_off(self) -> bool:
        """Its host cannot be asked now: that is all that a running step has a note for."""
        return self.step.state == StepState.RUNNING and bool(self.step.note)

    @property
    def earlier(self) -> range:
        """The numbers of the attempts before the latest one."""
        return range(1, self.step.attempt_count if self.has_output else 1)

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


@dataclass(frozen=True)
class Scene:
    """One look at an execution. Nothing in it depends on who looks."""

    execution: Execution
    plan: Plan
    rows: tuple[Row, ...]
    requests: tuple[ApprovalRequest, ...]
    marks: tuple[ChecklistMark, ...]
    participants: tuple[Participant, ...]
    timeline: tuple[Entry, ...]
    notes: tuple[Note, ...]
    now: datetime
    wait: Wait | None
    gap: Gap | None  # it needs a worker, and none serves the environment's queue
    window: State | None = None  # of what is queued for one: how its environment stands now
    parent: Execution | None = None  # the one whose step started it
    instead_of: RunbookVersion | None = None  # what would run if nobody had chosen another version
    past: tuple[Run, ...] = ()  # what its steps took in earlier executions
    within: Mapping[UUID, Within] = field(default_factory=dict)  # of the steps that start others
    watching: tuple[str, ...] = ()  # the names of those who look at it now

    @cached_property
    def focus(self) -> Row | None:
        """The step that matters now: at work or about to run again, else the last begun, else the first."""
        current = [row for row in self.rows if row.current]
        again = [row for row in self.rows if not row.step.started_at and row.step.attempt_count]
        begun = sorted(
            (row for row in self.rows if row.step.started_at),
            key=lambda row: row.step.started_at or self.now,
        )
        return next(iter([*current, *again, *begun[-1:], *self.rows[:1]]), None)

    @cached_property
    def current(self) -> Row | None:
        """The step that a person could act on now."""
        # A stop that nobody saw comes first: until it is settled nothing else can be decided.
        acted_on = (
            *(r for r in self.rows if r.step.unconfirmed),
            *(r for r in self.rows if r.current),
        )
        return next(iter(acted_on), None)

    @property
    def stuck(self) -> Row | None:
        """The step that waits for a decision."""
        waiting = self.execution.state == ExecutionState.WAITING
        row = self.current if waiting else None
        return row if row and row.step.state in STEP_STUCK else None

    def tells(self, row: Row) -> bool:
        """Whether a card says how this step ended, or something else will be shown in a moment."""
        if self.stuck is not None and self.stuck.step == row.step:
            return True
        goes_on = self.execution.state in HELD | {ExecutionState.QUEUED}
        return goes_on and row is self.focus and row.step.state in STEP_STUCK

    @property
    def may_turn(self) -> bool:
        return may_turn(self.execution)

    @property
    def has_output(self) -> bool:
        """Whether the step that matters now may have written something, or is about to."""
        if self.focus is None or self.focus.has_output:
            return self.focus is not None
        begins = not self.execution.is_over and self.focus.step.state == StepState.PENDING
        return begins and self.focus.writes

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
    def ahead(self) -> Ahead:
        """How long the rest may take, and which running step takes unusually long."""
        steps = [row.step for row in self.rows]
        return ahead(self.execution, steps, self.past, self.now, self.within)

    @cached_property
    def undo(self) -> tuple[UndoEntry, ...]:
        return undo_stack(self.plan, [row.step for row in self.rows])

    @cached_property
    def undone(self) -> bool:
        return any(row.step.undone_at for row in self.rows)

    @cached_property
    def approvals(self) -> tuple[ApprovalRequest, ...]:
        """Those that were decided."""
        return tuple(r for r in self.requests if r.state != RequestState.OPEN)

    @cached_property
    def decisions(self) -> tuple[tuple[ApprovalRequest, Decision], ...]:
        """What was decided, each with what it was asked for."""
        return tuple((r, decision) for r in self.approvals for decision in r.decisions.all())

    @cached_property
    def gate(self) -> ApprovalRequest | None:
        """The one that is open."""
        return next((r for r in self.requests if r.state == RequestState.OPEN), None)

    @cached_property
    def _captured(self) -> tuple[Captured, ...]:
        return captured(self.execution, self.plan)

    @property
    def captured(self) -> tuple[Captured, ...]:
        """The variables that steps have set for other steps."""
        return tuple(variable for variable in self._captured if variable.meant)

    @property
    def left_over(self) -> tuple[Captured, ...]:
        """Those that no other step speaks of."""
        return tuple(variable for variable in self._captured if not variable.meant)

    @cached_property
    def spread(self) -> bool:
        """Whether it runs on several hosts."""
        return len({row.step.host for row in self.rows if row.step.host}) > 1

    @property
    def lost_worker(self) -> bool:
        return unheard(self.execution)

    @property
    def silence(self) -> str:
        """How it is said that its worker was lost."""
        return SILENCE

    @cached_property
    def after(self) -> tuple[ChecklistMark, ...]:
        return tuple(m for m in self.marks if m.moment == ChecklistMark.Moment.AFTER)

    @cached_property
    def before(self) -> tuple[ChecklistMark, ...]:
        return tuple(m for m in self.marks if m.moment == ChecklistMark.Moment.BEFORE)

    @property
    def closing(self) -> Closing | None:
        """What comes after its end, once a worker has laid it out."""
        found = getattr(self.execution, "closing", None)
        return found if found and found.ended_at == self.execution.finished_at else None

    @property
    def to_be_laid_out(self) -> bool:
        """It has ended, something was done in it, and its closing list is not there yet."""
        done = any(r.step.started_at and r.step.kind != Kind.APPROVAL for r in self.rows)
        ended = self.execution.is_over and self.execution.parent_id is None
        return ended and done and self.closing is None

    def troubleshooting(self) -> tuple[Troubleshooting, ...]:
        """What the document says about things that go wrong."""
        return document(self.execution.version).troubleshooting

    def row(self, wanted: str) -> Row | None:
        """By the step's id in the document or the step run's own id."""
        return next((r for r in self.rows if wanted in {r.link, r.step.key, str(r.step.pk)}), None)

    def beside(self, row: Row | None) -> tuple[Row | None, Row | None]:
        """The steps before and after it, as they are listed."""
        if row is None:
            return None, None
        at = self.rows.index(row)
        return next(iter(self.rows[at - 1 : at]), None), next(iter(self.rows[at + 1 :]), None)

    def values(self, row: Row | None) -> tuple[Input, ...]:
        """The values that its command and its expected output name, as far as they were known at the start."""
        steps = [self.plan.step(row.step.key)] if row else []
        return tuple(v for one in planned(self.execution, self.plan, steps) for v in one.values)

    @cached_property
    def situation(self) -> Situation:
        return Situation.of(self.execution, [row.step for row in self.rows])

    @cached_property
    def controls_key(self) -> str:
        """Changes whenever what a person could do may have changed."""
        parts = (
            self.situation.digest,
            tuple((m.pk, m.confirmed_at) for m in self.marks),
            tuple((r.pk, r.state, len(r.decisions.all())) for r in self.requests),
            tuple(p.pk for p in self.participants),
            len(self.undo),
        )
        return sha256(repr(parts).encode()).hexdigest()[:16]
