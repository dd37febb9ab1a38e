"""What an approver has to see of an execution before deciding: facts from the system alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from cvdops.access.policy import Action, Decision, can
from cvdops.accounts.models import User
from cvdops.approvals.models import ApprovalRequest, RequestState
from cvdops.catalog import queries as catalog
from cvdops.catalog.queries import document
from cvdops.environments import calendar
from cvdops.environments.schedule import State
from cvdops.executions import deciders, drift, launch
from cvdops.executions.deciders import gate_of
from cvdops.executions.glance import told
from cvdops.executions.models import ChecklistMark, Execution, StepRun
from cvdops.executions.outcome import DIFFERS
from cvdops.executions.plan import digest
from cvdops.executions.quality import Quality, quality
from cvdops.executions.queries import pinned
from cvdops.executions.repute import known, versions
from cvdops.executions.resolved import HIDDEN, Resolved, planned
from cvdops.executions.states import ExecutionState, Look, StepState
from cvdops.lib.together import Read, Wanted, ahead
from cvdops.spec.document import Kind
from cvdops.web.approvers import Group, groups
from cvdops.web.live.scene import Scene

LOOKED_AT = 12  # earlier executions
_SAYS_SOMETHING = (
    ExecutionState.SUCCEEDED,
    ExecutionState.FAILED,
    ExecutionState.ROLLED_BACK,
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A state that a step of the plan has, and where, if not on all of its hosts."""

    look: Look
    hosts: str


@dataclass(frozen=True, slots=True)
class PlanRow(Resolved):
    """A step as it would run, and how far it is."""

    asked: bool  # the gate that this request is about
    marks: tuple[Mark, ...]  # how far it is; none for a step to come
    differing: tuple[StepRun, ...]  # its runs whose output is not what the document promises


@dataclass(frozen=True, slots=True)
class Record:
    """How the last executions of the same procedure in the same environment ended."""

    succeeded: int
    finished: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What the page of the runbook says of the version that would run, and who reviewed it."""

    quality: Quality
    reviewers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """Everything on the decision page."""

    request: ApprovalRequest
    scene: Scene
    rows: tuple[PlanRow, ...]
    groups: tuple[Group, ...]
    record: Record
    version: Standing
    before: tuple[ChecklistMark, ...]  # the list before the start, what people confirmed first
    window: State
    differences: tuple[drift.Difference, ...]  # since the start
    unchanged: bool  # since it was asked for
    may: Decision
    spoken: bool  # this person has decided already

    @property
    def open(self) -> bool:
        return self.request.state == RequestState.OPEN

    @property
    def asks_you(self) -> bool:
        """Whether this person decides here: they may, and have not yet."""
        return self.open and self.may.allowed and not self.spoken

    @property
    def verified(self) -> int:
        """How many items of the list before the start the portal verified itself."""
        return sum(1 for mark in self.before if mark.verified)

    @property
    def title(self) -> str:
        """The gate, as its step is called."""
        row = self.scene.row(self.request.gate)
        return row.step.title if row else self.request.title

    @property
    def policies(self) -> tuple[str, ...]:
        """Those that ask for it before the start; none for a gate of the runbook."""
        demand = self.scene.plan.gates.get(self.request.gate)
        return demand.policies if demand else ()

    @property
    def as_it_was(self) -> bool:
        """Whether there is nothing to say about changes."""
        return self.unchanged and not self.differences and not self.void_before

    @property
    def void_before(self) -> list[ApprovalRequest]:
        """Earlier requests at the same gate that do not count, with their reasons."""
        others = (r for r in self.scene.requests if r.gate == self.request.gate)
        return [r for r in others if r.pk != self.request.pk and r.void_reason]

    @property
    def hosts(self) -> list[str]:
        return sorted({row.host for row in self.rows if row.host})

    @property
    def begun(self) -> bool:
        """Whether anything of the plan has been done before this gate."""
        return any(row.marks and not row.asked for row in self.rows)

    @property
    def inputs(self) -> list[tuple[str, str]]:
        """What the operator filled in, such as the release that is deployed."""
        execution, known = self.scene.execution, self.scene.plan.given
        return [
            (variable.name, execution.variables.get(variable.name, HIDDEN))
            for variable in document(execution.version).variables
            if variable.name in known
        ]

    @property
    def differing(self) -> list[PlanRow]:
        """What wrote something else than the document promises."""
        return [row for row in self.rows if row.differing]

    @property
    def sharp(self) -> list[PlanRow]:
        """What changes something, and the gate itself."""
        return [row for row in self.rows if row.step.attributes.destructive or row.asked]

    @property
    def others(self) -> int:
        return len(self.rows) - len(self.sharp)

    @property
    def destructive(self) -> int:
        return sum(1 for row in self.rows if row.step.attributes.destructive)

    @property
    def undoable(self) -> int:
        return sum(1 for row in self.rows if row.undo)

    @property
    def no_way_back(self) -> list[PlanRow]:
        return [r for r in self.rows if r.step.attributes.destructive and not r.undo]

    @property
    def metadata(self) -> Mapping[str, object]:
        found: Mapping[str, object] = self.scene.execution.version.metadata
        return found


def review(user: User, request: ApprovalRequest, scene: Scene) -> Review:
    """The request as this person sees it."""
    execution = scene.execution
    ahead(*_reads(user, request, scene))
    [execution.plan] = pinned(execution.pk)
    now = drift.present(execution) if request.state == RequestState.OPEN else drift.Present("")
    return Review(
        request=request,
        scene=scene,
        rows=tuple(_rows(request, scene)),
        groups=groups(request),
        record=_record(scene.execution),
        version=_standing(user, scene.execution),
        before=_before(scene),
        window=calendar.standing(request.environment),
        differences=now.differences,
        unchanged=now.digest == request.present_digest
        and digest(execution.plan) == request.plan_digest,
        may=can(user, Action.DECIDE, gate_of(request)),
        spoken=any(d.person == user.person for d in request.decisions.all()),
    )


def _standing(user: User, execution: Execution) -> Standing:
    [about] = known(user, Q(pk=execution.version_id))
    return Standing(quality(user, about), tuple(review.name for review in about.reviews))


def _reads(user: User, request: ApprovalRequest, scene: Scene) -> Iterator[Wanted]:
    """What the rest of the page asks for, to be read together."""
    execution = scene.execution
    yield told.of(user)
    yield pinned.of(execution.pk)
    yield _ended.of(execution)
    yield versions.of(user, Q(pk=execution.version_id))
    yield from deciders.reads(request)
    if request.state == RequestState.OPEN:
        yield catalog.named.of(execution.runbook_id)
        yield from launch.reads(request.environment, execution.runbook_id, request.category)


def _before(scene: Scene) -> tuple[ChecklistMark, ...]:
    """What the portal looked for in vain stands first, then what it could not look for."""
    found = (mark for mark in scene.marks if mark.moment == ChecklistMark.Moment.BEFORE)
    return tuple(sorted(found, key=lambda mark: (mark.verified, not mark.evidence)))


def _rows(request: ApprovalRequest, scene: Scene) -> Iterator[PlanRow]:
    for one in planned(scene.execution, scene.plan, scene.plan.steps):
        step = one.step
        runs = [row.step for row in scene.rows if row.step.key == step.id]
        yield PlanRow(
            number=one.number,
            step=step,
            host=one.host,
            undo=one.undo,
            request=one.request,
            values=one.values,
            asked=step.kind is Kind.APPROVAL and step.id == request.gate,
            marks=_marks(runs),
            differing=tuple(run for run in runs if run.sample == DIFFERS),
        )


def _marks(steps: Sequence[StepRun]) -> tuple[Mark, ...]:
    """Each state once, with the hosts, if they differ."""
    where: dict[Look, list[str]] = {}
    for step in steps:
        where.setdefault(step.look, []).append(step.host)
    if all(step.state == StepState.PENDING for step in steps):
        return ()
    together = len(where) == 1
    return tuple(Mark(look, "" if together else ", ".join(on)) for look, on in where.items())


@Read
def _ended(execution: Execution) -> QuerySet[Execution, str]:
    """The states of the newest before it."""
    earlier = Execution.objects.filter(
        runbook=execution.runbook,
        procedure=execution.procedure,
        environment=execution.environment,
        state__in=_SAYS_SOMETHING,
        pk__lt=execution.pk,
    )
    return earlier.order_by("-id").values_list("state", flat=True)[:LOOKED_AT]


def _record(execution: Execution) -> Record:
    states = _ended(execution)
    return Record(states.count(ExecutionState.SUCCEEDED), len(states))
