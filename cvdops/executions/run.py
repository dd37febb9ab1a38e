"""An execution in the hands of the worker that holds it, and one try of a step of it."""

from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection

from cvdops.executions import plan
from cvdops.executions.leases import Hold
from cvdops.executions.models import Execution, StepAttempt, StepRun
from cvdops.executions.states import Phase, StepState
from cvdops.executions.transitions import Hand
from cvdops.spec.document import Step


@dataclass(slots=True)
class Run:
    """The row as it was when the lease was taken, its plan, and its step runs of the current phase.

    While the lease is held nobody else changes the steps, so they are read once and kept true here.
    """

    hold: Hold
    execution: Execution
    plan: plan.Plan
    steps: list[StepRun] = field(default_factory=list)
    definitions: list[Step] = field(default_factory=list)  # in parallel to `steps`

    @classmethod
    def load(cls, hold: Hold) -> "Run":
        execution = Execution.objects.select_related("environment", "runbook", "requested_by").get(
            pk=hold.execution
        )
        run = cls(hold, execution, plan.from_json(execution.plan))
        run.reload()
        return run

    def reload(self) -> None:
        """Read the step runs of the phase anew."""
        self.steps = list(
            StepRun.objects.filter(execution=self.execution, phase=self.execution.phase).order_by(
                "position", "lane"
            )
        )
        self.definitions = [self.plan.step(step.key).step for step in self.steps]

    def stage(self, step: StepRun) -> list[StepRun]:
        """The step on all of its hosts."""
        return [other for other in self.steps if other.key == step.key]

    def delayed(self) -> frozenset[int]:
        """Which step runs have to wait for their next try."""
        if not any(step.due_at for step in self.steps):
            return frozenset()
        seconds = self.delays()
        return frozenset(i for i, s in enumerate(self.steps) if seconds.get(s.pk, 0.0) > 0)

    def delays(self) -> dict[UUID, float]:
        """Seconds until the next try, by the database's clock, of those that have one."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT id, extract(epoch FROM due_at - clock_timestamp())::float8
                  FROM executions_steprun
                 WHERE execution_id = %s AND state = 'pending' AND due_at IS NOT NULL
                """,
                [self.id],
            )
            return dict(cursor.fetchall())

    @property
    def id(self) -> UUID:
        return self.execution.pk

    @property
    def hand(self) -> Hand:
        return self.hold.hand

    @property
    def has_running(self) -> bool:
        """Whether a step of it may run on its host."""
        return any(step.state == StepState.RUNNING for step in self.steps)

    @property
    def rolling_back(self) -> bool:
        return self.execution.phase == Phase.ROLLBACK


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt of a step."""

    run: Run
    step: StepRun
    definition: Step
    attempt: StepAttempt
    variables: dict[str, str]  # with the secrets

    def clean(self) -> None:
        """Remove what it left outside the database, once its end is durable."""
