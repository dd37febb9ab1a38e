"""The rig of a fault test: a scene with counted steps, real workers, and the truth at the end."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from django.db import connection
from django.db.models import QuerySet

from cvdops.executions import services
from cvdops.executions.leases import PAUSE
from cvdops.executions.models import Execution
from cvdops.lib.errors import Conflict
from tests.executions.scene import Scene
from tests.executions.test_engine import block
from tests.faults.effects import VARIABLES, Effects
from tests.faults.truth import truth
from tests.faults.workers import Workers, workers
from tests.waiting import PATIENCE, until

UNREACHABLE = "cannot be reached"  # of a step's note


@dataclass
class Rig:
    """What a fault test works with."""

    scene: Scene
    effects: Effects
    folder: Path
    chance: Random
    spools: list[Path] = field(default_factory=list)  # of hosts that only this test uses
    _runs: int = 0

    def step(
        self, key: str, attributes: str = "", seconds: float = 0.2, lines: int = 8, **more: bool
    ) -> str:
        """A counted step of a runbook."""
        return block(key, self.effects.script(key, seconds, lines, **more), attributes)

    def runbook(self, *steps: str, rollback: str = "", extra: str = "") -> None:
        self.scene.runbook("".join(steps), rollback, VARIABLES + extra)

    def start(self, count: int = 1) -> list[Execution]:
        """Start so many; the workers hear of it."""
        return [self._start() for _ in range(count)]

    def _start(self) -> Execution:
        self._runs += 1
        return self.scene.start(variables={"RUN": str(self._runs)})

    def workers(self, count: int = 1, **environment: str) -> AbstractContextManager[Workers]:
        return workers(self.folder, count, **environment)

    def settled(self, executions: Iterable[Execution], timeout: float = PATIENCE) -> None:
        """Until all of them have succeeded; says which have not, and what they wait for."""
        left = self._left(executions)

        def over() -> bool:
            self.tend(executions)
            return not left.exists()

        try:
            until(over, timeout, "success")
        except AssertionError as error:
            rows = list(left.values_list("number", "state", "lease_owner", "waiting_for"))
            raise AssertionError(f"{error}: {rows}") from None

    def tend(self, executions: Iterable[Execution]) -> None:
        """What people do who look at the pages of these executions."""
        lead = self.scene.person("operations-lead")
        for execution in self._left(executions).filter(state="waiting"):
            with suppress(Conflict):  # it went on meanwhile
                # refused before anything was sent, because its host could not be reached then
                for step in execution.steps.filter(state="failed", note__contains=UNREACHABLE):
                    services.retry(lead, execution.pk, step.pk)

    def _left(self, executions: Iterable[Execution]) -> QuerySet[Execution]:
        found = Execution.objects.filter(pk__in=[one.pk for one in executions])
        return found.exclude(state="succeeded")

    def truth(self, executions: Iterable[Execution]) -> None:
        """Raises AssertionError with every lie about these executions."""
        spools = [self.folder / "spool", *self.spools]
        truth(self.effects, executions, *(one for one in spools if one.exists()))


def bury(owner: str) -> None:
    """As if its leases had run out since this worker died, and nobody waited any longer."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE executions_execution "
            "SET lease_until = clock_timestamp() - make_interval(secs => %s) "
            "WHERE lease_owner = %s AND lease_until IS NOT NULL",
            [PAUSE + 0.001, owner],
        )
