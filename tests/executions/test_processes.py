"""Nobody reads a secret from a list of processes or from a file: seen at a high rate while steps run."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from django.conf import settings

from cvdops.runners.job import MARKER
from tests import databases
from tests.executions.scene import Scene
from tests.executions.test_engine import block
from tests.waiting import joined

SECRET = "a-secret-that-nobody-reads"
VARIABLES = "variables: {TOKEN: {secret: true}}\n"
STEP = 'for n in 1 2 3; do echo "${TOKEN}" | cat >/dev/null; sleep 0.1; done; cd /usr'


@contextmanager
def watched() -> Iterator[dict[str, set[bytes]]]:
    """What /proc tells meanwhile of processes that have the secret, in their arguments and outside jobs."""
    seen: dict[str, set[bytes]] = {"arguments": set(), "elsewhere": set(), "jobs": set()}
    over = Event()

    def look() -> None:
        while not over.wait(0.001):
            for folder in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):  # it ended meanwhile
                    arguments = (folder / "cmdline").read_bytes()
                    environment = (folder / "environ").read_bytes()
                    if SECRET.encode() in arguments:
                        seen["arguments"].add(arguments)
                    if SECRET.encode() in environment:
                        job = f"{MARKER}=".encode() in environment
                        seen["jobs" if job else "elsewhere"].add(arguments)

    thread = Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        joined(thread)


def carry_out(scene: Scene, attributes: str = "") -> dict[str, set[bytes]]:
    scene.runbook(block("one", STEP, attributes) + block("two", STEP, attributes), extra=VARIABLES)
    with watched() as seen:
        assert scene.run(variables={"TOKEN": SECRET}).state == "succeeded"
    return seen


def test_python_and_the_client_of_a_database_get_it_the_same_way(
    scene: Scene, tmp_path: Path
) -> None:
    place = databases.sqlite(tmp_path)
    scene.environment.databases.create(name="orders", kind=place.kind, location=place.location)
    python = "import os, time\nassert os.environ['TOKEN']\ntime.sleep(0.2)"
    scene.runbook(
        block("one", python, kind="python")
        + block("two", "SELECT :TOKEN;", "database=orders", kind="sql"),
        extra=VARIABLES,
    )
    with watched() as seen:
        assert scene.run(variables={"TOKEN": SECRET}).state == "succeeded"
    assert seen["jobs"]
    assert (seen["arguments"], seen["elsewhere"]) == (set(), set())


def open_to_others(folder: Path) -> list[str]:
    """Files, folders and sockets that somebody else could open."""
    names = [folder, *folder.rglob("*")]
    return [str(name) for name in names if name.lstat().st_mode & 0o077 and not name.is_symlink()]


def test_here_only_the_job_has_a_secret_in_its_environment(scene: Scene) -> None:
    seen = carry_out(scene)
    assert seen["jobs"]  # it looked fast enough
    assert (seen["arguments"], seen["elsewhere"]) == (set(), set())
    assert open_to_others(Path(settings.SPOOL_DIR)) == []


def test_over_ssh_only_the_job_there_has_one(far: Scene) -> None:
    seen = carry_out(far, "target=far")
    assert seen["jobs"]
    assert (seen["arguments"], seen["elsewhere"]) == (set(), set())
    assert open_to_others(Path(settings.SSH_DIR)) == []
