"""The rig of a fault test: a scene with counted steps, real workers, and the truth at the end."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from django.db import connection

from cvdops.executions import services
from cvdops.executions.leases import POISONED
from cvdops.executions.models import Execution
from tests.executions.scene import Scene
from tests.executions.test_engine import block
from tests.faults.effects import VARIABLES, Effects
from tests.faults.truth import truth
from tests.faults.workers import Workers, workers
from tests.waiting import until


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

    def settled(self, executions: Iterable[Execution], timeout: float = 30) -> None:
        """Until all of them have succeeded; says which have not, and what they wait for."""
        left = Execution.objects.filter(pk__in=[one.pk for one in executions])
        left = left.exclude(state="succeeded")

        def over() -> bool:
            for poisoned in left.filter(waiting_for__code=POISONED):
                services.resume(self.scene.person("operations-lead"), poisoned.pk)
            return not left.exists()

        try:
            until(over, timeout, "success")
        except AssertionError as error:
            rows = list(left.values_list("number", "state", "lease_owner", "waiting_for"))
            raise AssertionError(f"{error}: {rows}") from None

    def truth(self, executions: Iterable[Execution]) -> None:
        """Raises AssertionError with every lie about these executions."""
        spool = self.folder / "spool"
        truth(self.effects, executions, *([spool] if spool.exists() else []), *self.spools)


def bury(owner: str) -> None:
    """As if fifteen seconds had passed since this worker died: its leases have run out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE executions_execution SET lease_until = clock_timestamp() - interval '1 ms' "
            "WHERE lease_owner = %s AND lease_until IS NOT NULL",
            [owner],
        )
