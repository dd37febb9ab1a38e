"""F25: workers, Redis, PostgreSQL and SSH connections fail at random, for minutes.

Clocks jump in a test of their own: with libfaketime Celery's own sleeps fail while it looks for its Redis.
"""

from collections.abc import Callable
from time import monotonic, sleep

import pytest

from cvdops.environments.models import Host
from cvdops.executions.models import Execution
from tests.faults.rig import Rig, bury
from tests.faults.servers import Database, Server
from tests.faults.workers import Workers
from tests.sshd import Sshd

SETTLES = 60.0  # seconds after the last fault
STEPS = {"one": "", "two": "idempotent", "far": "target=far", "web": "target=web batch=2"}


def runbook(rig: Rig) -> None:
    hosts = [
        rig.scene.environment.hosts.create(name=f"web-{n}", transport="local") for n in (1, 2, 3)
    ]
    rig.scene.environment.groups.create(name="web").hosts.set(hosts)
    rig.runbook(
        *(rig.step(key, attributes, once=key != "web") for key, attributes in STEPS.items())
    )


def troubles(
    rig: Rig,
    workers: Workers,
    database: Database,
    redis: Server,
    server: Sshd,
    died: Callable[[str], None],
) -> list[Callable[[], object]]:
    """What may happen at any moment; the workers' deaths more often than the rest."""

    def down(fault: Callable[[], None], mend: Callable[[], None], longest: float) -> None:
        fault()
        sleep(rig.chance.uniform(0, longest))
        mend()

    def slot() -> int:
        return rig.chance.randrange(workers.count)

    def doze() -> None:
        one = slot()
        down(lambda: workers.freeze(one), lambda: workers.thaw(one), 3)

    return [
        *[lambda: died(workers.kill(slot()))] * 3,
        lambda: workers.drain(slot()),
        doze,
        lambda: down(redis.kill, redis.start, 3),
        lambda: down(database.kill, database.start, 2),
        lambda: down(server.kill, server.start, 3),
        server.restart,
    ]


def left(_owner: str) -> None:
    """Its leases run out by themselves."""


@pytest.mark.parametrize(
    ("seconds", "executions", "died"),
    [(6, 3, bury), pytest.param(300, 100, left, marks=pytest.mark.faults)],
    ids=["buried", "whose leases run out"],
)
def test_everything_fails_at_random(
    own_database: Database,
    own_redis: Server,
    rig: Rig,
    far: Host,
    server: Sshd,
    seconds: float,
    executions: int,
    died: Callable[[str], None],
) -> None:
    """`died`: what becomes of the leases of a worker that was killed."""
    runbook(rig)
    started: list[Execution] = []
    with rig.workers(3, REDIS_URL=own_redis.url) as workers:
        may_happen = troubles(rig, workers, own_database, own_redis, server, died)
        began = monotonic()
        while (passed := monotonic() - began) < seconds:
            if len(started) < executions * passed / seconds:
                started += rig.start()
            sleep(rig.chance.uniform(0, min(2.0, seconds / 6)))
            rig.chance.choice(may_happen)()
            rig.tend(started)
        rig.settled(started, SETTLES)
    rig.truth(started)
