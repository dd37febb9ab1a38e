"""Walks through a runbook's procedure on a practice CVD: the steps in order, in one shell session."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cvdops.practice.site import Site
from cvdops.runners.job import Job
from cvdops.runners.local import LocalTransport
from cvdops.spec import conditions, plan, samples, values
from cvdops.spec.document import Kind, Runbook, Shell, Step
from cvdops.spec.parser import parse
from tests.waiting import until

RUNBOOKS = Path(__file__).resolve().parents[2] / "runbooks"
PEOPLE = (Kind.APPROVAL, Kind.MANUAL, Kind.CHECKLIST)


def read(name: str) -> Runbook:
    return parse((RUNBOOKS / name).read_bytes(), name)


@dataclass
class Done:
    """A step that ran: its exit code, its output, and what its samples say."""

    step: Step
    code: int
    output: str

    @property
    def well(self) -> bool:
        return self.code in self.step.attributes.exit_codes

    @property
    def broken_promises(self) -> list[str]:
        expect = self.step.attributes.expect
        results = [samples.compare(s.text, self.output, expect) for s in self.step.samples]
        return [f"{self.step.id}: {r.detail}" for r in results if r.verdict == "differs"]


@dataclass
class Walk:
    """One execution of a procedure; people say yes to everything."""

    site: Site
    runbook: Runbook
    procedure: str
    spool: Path
    given: dict[str, str] = field(default_factory=dict)
    done: list[Done] = field(default_factory=list)
    before: Callable[[Step], None] = lambda _step: None

    def __post_init__(self) -> None:
        common = self.site.variables()
        found, problems = values.check(self.runbook, self.procedure, self.given, common)
        assert not problems, problems
        self.session = {"HOME": str(self.spool), "LANG": "C.UTF-8", **found}
        self.cwd = ""

    def forward(self) -> "Done | None":
        """Run until the end, or the first step that fails: that one is returned."""
        return self._run(plan.steps_of(self.runbook, self.procedure))

    def roll_back(self) -> "Done | None":
        """Undo what was completed; the first rollback step that fails is returned."""
        completed = [d.step.id for d in self.done if d.well]
        return self._run(plan.rollback_of(self.runbook, completed))

    def output(self, step_id: str) -> str:
        return next(d.output for d in self.done if d.step.id == step_id)

    def _run(self, steps: tuple[Step, ...]) -> "Done | None":
        for step in steps:
            if step.kind in PEOPLE or not conditions.evaluate(step.attributes.when, self.session):
                continue
            self.before(step)
            done = self._step(step)
            self.done.append(done)
            if not done.well:
                return done
        return None

    def _step(self, step: Step) -> Done:
        transport = LocalTransport(self.spool)
        transport.spool()
        job = Job(
            attempt=str(uuid.uuid4()),
            interpreter="sh" if step.kind is Kind.SH else "bash",
            strict=self.runbook.shell is Shell.STRICT,
            script=step.body,
            variables=self.session,
            cwd=self.cwd,
        )
        handle = transport.start(job)
        result = until(handle.result, timeout=60, what=step.id)
        assert result
        self.session |= result.variables
        self.cwd = result.cwd
        return Done(step, result.exit_code, handle.read(0, 1 << 20).decode())
