"""The engine against a reference of a hundred lines: whatever people press and wherever workers die."""

from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from django.conf import settings as portal
from django.db import transaction
from django.db.models.functions import Now
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as check

from cvdops.approvals.models import ApprovalRequest
from cvdops.catalog.sync import sync
from cvdops.executions import engine, recovery, services
from cvdops.executions.models import Execution, StepAttempt
from cvdops.executions.states import ExecutionEvent, StepEvent
from cvdops.executions.transitions import Hand, Superseded
from cvdops.lib import failpoints
from cvdops.lib.errors import Conflict
from tests.cast import person
from tests.executions.reference import Reference
from tests.executions.scene import HEAD, ROLLBACK, Scene
from tests.executions.test_engine import block
from tests.faults.play import expire_leases
from tests.faults.truth import history
from tests.waiting import until

PLANS = {
    "gates": ["ok", "gate", "ok"],
    "fails": ["ok", "fail", "ok"],
    "both": ["ok", "fail", "gate"],
}
PRESSES: dict[str, Callable[["Machine"], object]] = {
    "approve": lambda m: m.decide("approve"),
    "reject": lambda m: m.decide("reject"),
    "retry": lambda m: services.retry(m.lead, m.pk, m.stuck),
    "skip": lambda m: services.skip(m.lead, m.pk, m.stuck, "why"),
    "settle": lambda m: services.settle(m.lead, m.pk, m.stuck, "why"),
    "give_up": lambda m: services.give_up(m.lead, m.pk),
    "pause": lambda m: services.pause(m.lead, m.pk),
    "resume": lambda m: services.resume(m.lead, m.pk),
    "cancel": lambda m: services.cancel(m.lead, m.pk),
    "roll_back": lambda m: services.roll_back(m.lead, m.pk),
}


class Crash(BaseException):
    """The end of a worker: nothing of it is heard again."""


def crash() -> None:
    raise Crash


def documents(scene: Scene, effects: Path, note: str = "") -> None:
    """A runbook for each plan; with another note it is another version."""
    said = f"echo $CVDOPS_ATTEMPT >>'{effects}'"
    for name, kinds in PLANS.items():
        body = ""
        for place, kind in enumerate(kinds):
            attributes = "destructive rollback=undo" if place == 0 else ""
            if kind == "gate":
                body += block(f"s{place}", "approvers: [operations-manager]", kind="approval")
            else:
                body += block(
                    f"s{place}", f"{said}; {'false' if kind == 'fail' else 'true'}", attributes
                )
        text = HEAD.format(extra="", body=f"{note}\n\n{body}{ROLLBACK}{block('undo', said)}")
        (scene.folder / f"{name}.md").write_text(text.replace("id: trial", f"id: {name}"))
    sync(scene.folder)


class Machine(RuleBasedStateMachine):
    """`scene` and `effects` are set by the test."""

    scene: Scene
    effects: Path
    versions = count(1)

    @initialize(name=st.sampled_from(sorted(PLANS)))
    def start(self, name: str) -> None:
        self.lead = person("operations-lead", "ann")
        self.manager = person("operations-manager")
        arguments = {"runbook": name, "environment": "development", "checklist": "confirmed"}
        self.pk = services.start(self.lead, reason="a test", **arguments).pk
        self.reference = Reference(PLANS[name])
        self.edited = False
        self.stale: object = None  # the request that was open when the runbook was edited
        self.former: list[int] = []  # tokens of workers that have let go or died

    @property
    def row(self) -> Execution:
        return Execution.objects.get(pk=self.pk)

    @property
    def stuck(self) -> str:
        """The key of the step that people are asked about."""
        if self.reference.phase == "rollback":
            return "undo"
        return f"s{min(self.reference.at, len(self.reference.kinds) - 1)}"

    def decide(self, verdict: str) -> None:
        request = (
            ApprovalRequest.objects.filter(execution_id=self.pk).order_by("-created_at").first()
        )
        if request is None:
            raise Conflict("Nobody has asked.")
        services.decide(self.manager, request.pk, verdict, "why", request.plan_digest)

    @rule()
    def advance(self) -> None:
        engine.advance(self.pk, "worker")
        if self.reference.free:
            self.reference.advance()
        self.former.append(self.row.lease_token)

    @rule(place=st.integers(1, 25))
    def advance_and_die(self, place: int) -> None:
        failpoints.arm(f"*:{place}", crash)
        try:
            engine.advance(self.pk, "victim")
        except Crash:
            self.adopt()
        else:
            if self.reference.free:
                self.reference.advance()
        finally:
            failpoints.arm("")
        self.former.append(self.row.lease_token)

    def adopt(self) -> None:
        """How far a worker came that died cannot be known beforehand; all else can."""
        row, before = self.row, list(self.reference.steps)
        for attempt in StepAttempt.objects.filter(step__execution=row, state="running"):
            folder = Path(portal.SPOOL_DIR) / str(attempt.pk)
            self.reference.begun = (folder / "pid").exists()
            until(
                lambda f=folder: not (f / "pid").exists() or (f / "rc").exists(),
                what="the end of the job",
            )
        states = dict(row.steps.values_list("key", "state"))
        self.reference.steps = [states[f"s{n}"] for n in range(len(before))]
        self.reference.undo = [states["undo"]] if self.reference.undo else []
        self.reference.held = row.lease_until is not None
        self.reference.free = not self.reference.held
        self.reference.state, self.reference.intent = row.state, row.intent

    @rule()
    def let_leases_run_out(self) -> None:
        expire_leases()
        self.reference.free = True

    @rule(verb=st.sampled_from(sorted(PRESSES)))
    def press(self, verb: str) -> None:
        running = "running" in {*self.reference.steps, *self.reference.undo}
        if verb in {"approve", "reject"} and self.stale and self.stale == self.open_request():
            with pytest.raises(Conflict, match="asked for anew"):
                PRESSES[verb](self)
            return
        try:
            PRESSES[verb](self)
        except Conflict:
            assert not self.reference.press(verb), f"{verb} was refused"
        else:
            assert self.reference.press(verb), f"{verb} had an effect"
        assert not running or self.row.state not in {"cancelled", "paused", "failed"}

    @precondition(lambda self: self.former)
    @rule(data=st.data())
    def write_late(self, data: st.DataObject) -> None:
        """Whoever held it once and does no more changes nothing."""
        row = self.row
        token = data.draw(st.sampled_from(self.former))
        if row.lease_until is not None and token == row.lease_token:
            return
        hand, step = Hand(self.pk, token), row.steps.first()
        for write in (
            lambda: hand.step(step.pk, StepEvent.BEGIN),
            lambda: hand.step(step.pk, StepEvent.SUCCEED),
            lambda: hand.move(ExecutionEvent.SUCCEED),
            lambda: hand.move(ExecutionEvent.WAIT),
            lambda: hand.move(ExecutionEvent.RETURN),
        ):
            with pytest.raises(Superseded), transaction.atomic():
                write()

    def open_request(self) -> object:
        found = ApprovalRequest.objects.filter(execution_id=self.pk, state="open")
        return found.values_list("pk", flat=True).first() if self.row.state == "waiting" else None

    @precondition(lambda self: not self.edited and not self.reference.gate_passed)
    @rule()
    def edit_the_runbook(self) -> None:
        """Nothing of what runs changes; what is asked for is asked anew when somebody decides."""
        self.edited, self.stale = True, self.open_request()
        documents(self.scene, self.effects, f"Version {next(self.versions)}.")

    @rule()
    def let_the_gate_expire(self) -> None:
        ApprovalRequest.objects.filter(execution_id=self.pk, state="open").update(expires_at=Now())
        recovery.rescue()
        self.reference.press("expire")

    @invariant()
    def equal(self) -> None:
        if not hasattr(self, "pk"):
            return
        row = self.row
        steps = dict(row.steps.values_list("key", "state"))
        expected = {f"s{n}": state for n, state in enumerate(self.reference.steps)}
        if self.reference.undo:
            expected["undo"] = self.reference.undo[0]
        assert (row.state, steps) == (self.reference.state, expected)
        assert not list(history(row))

    @invariant()
    def honest(self) -> None:
        """One effect for each attempt that ended by itself; nothing after a gate that is not approved."""
        if not hasattr(self, "pk"):
            return
        said = Counter(self.effects.read_text().split())
        for attempt in StepAttempt.objects.filter(step__execution=self.pk).select_related("step"):
            ended = attempt.state in {"succeeded", "failed"}
            assert said[str(attempt.pk)] == 1 if ended else said[str(attempt.pk)] <= 1
        row = self.row
        approved = ApprovalRequest.objects.filter(
            execution_id=self.pk, state="approved", plan_digest=row.plan_digest
        )
        for step in row.steps.filter(kind="approval", state="succeeded"):
            settled = row.events.filter(step=step, kind="step.settle").exists()
            assert settled or approved.filter(gate=step.key).exists()
        kinds = list(row.events.order_by("seq").values_list("kind", flat=True))
        if "execution.cancel" in kinds:
            after = kinds[kinds.index("execution.cancel") :]
            assert "step.begin" not in after or "execution.roll_back" in after


@pytest.mark.parametrize(
    ("examples", "length"), [(8, 12), pytest.param(120, 25, marks=pytest.mark.faults)]
)
def test_the_engine_is_the_reference(
    scene: Scene, tmp_path: Path, examples: int, length: int
) -> None:
    Machine.scene, Machine.effects = scene, tmp_path / "effects"
    Machine.effects.touch()
    scene.person("operations-lead")
    documents(scene, Machine.effects)
    rules = settings(
        phases=[Phase.generate],  # shrinking takes minutes, and a dozen steps are read without it
        max_examples=examples,
        stateful_step_count=length,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    check(Machine, settings=rules)
