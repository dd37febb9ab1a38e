"""The parts that are our own programs: practice CVD, preparation, web server, worker."""

import http.client
import sys
from collections.abc import Callable
from pathlib import Path

from cvdops.stack.parts import Part

PROJECT = Path(__file__).resolve().parent.parent.parent
QUEUES = "env.development", "env.staging", "env.production"
THREADS = 256  # a running step costs one thread that waits


def practice(data: Path, command: str, port: int) -> Part:
    """`command` is start or stop; the service itself is no part: runbooks stop and start it."""
    environment = {"CVDOPS_PRACTICE_PORT": str(port)}
    return _program("practice", data, ["cvdops.practice", command], environment=environment)


def prepare(data: Path) -> Part:
    return _program("prepare", data, ["cvdops.stack.prepare"])


def web(data: Path, port: int) -> Part:
    arguments = [
        *["uvicorn", "cvdops.asgi:application", "--host", "127.0.0.1", "--port", str(port)],
        # Without a limit an open event stream keeps the server alive for ever.
        *["--timeout-graceful-shutdown", "4", "--lifespan", "off"],
        *["--http", "cvdops.web.live.delivery:Delivery"],
        *["--no-proxy-headers", "--no-server-header", "--no-access-log", "--log-level", "warning"],
    ]
    return _program("web", data, arguments, ready=lambda _pid: answers(port, "/healthz"))


def worker(data: Path, port: int) -> Part:
    arguments = [
        # The checks would load every page into the worker: a third of its start and memory.
        *["celery", "-A", "cvdops", "--skip-checks", "worker"],
        *["--pool", "threads", "--concurrency", str(THREADS)],
        # Gossip, heartbeat and remote control stay on: without all three a worker that lost its
        # Redis never consumes again.
        *["-Q", ",".join(QUEUES), "-n", "worker@localhost", "--without-mingle"],
        *["--loglevel", "WARNING"],
    ]
    return _program("worker", data, arguments, ready=lambda _pid: answers(port, "/readyz"))


def _program(
    name: str,
    data: Path,
    arguments: list[str],
    ready: Callable[[int], bool] = lambda _pid: True,
    environment: dict[str, str] | None = None,
) -> Part:
    return Part(
        name=name,
        argv=[sys.executable, "-m", *arguments],
        ready=ready,
        environment={"CVDOPS_DATA_DIR": str(data), "PYTHONUNBUFFERED": "1", **(environment or {})},
        folder=PROJECT,
    )


def answers(port: int, path: str, host: str = "localhost") -> bool:
    """Whether the web server on this port answers 200 at `path` within five seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": host})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
