"""An execution in the hands of the worker that holds it."""

from dataclasses import dataclass, field
from uuid import UUID

from cvdops.executions import plan
from cvdops.executions.leases import Hold
from cvdops.executions.models import Execution, StepRun
from cvdops.executions.states import Phase
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
                "position"
            )
        )
        self.definitions = [self.plan.step(step.key).step for step in self.steps]

    @property
    def id(self) -> UUID:
        return self.execution.pk

    @property
    def hand(self) -> Hand:
        return self.hold.hand

    @property
    def rolling_back(self) -> bool:
        return self.execution.phase == Phase.ROLLBACK
