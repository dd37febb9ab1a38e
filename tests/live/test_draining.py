"""A web server that is told to stop lets its viewers go."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client

from cvdops.executions.models import Execution
from tests.executions.scene import Scene
from tests.live.viewer import Visitor
from tests.ports import free_port
from tests.waiting import until


@pytest.fixture
def process(execution: Execution) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """A uvicorn of its own, as it runs in production, and its port."""
    port = free_port()
    database = connection.settings_dict
    url = f"postgresql://{database['USER']}@/{database['NAME']}?host={database['HOST']}"
    if database["PORT"]:
        url += f"&port={database['PORT']}"
    command = ["-m", "uvicorn", "cvdops.asgi:application", "--port", str(port), "--lifespan", "off"]
    running = subprocess.Popen(
        [sys.executable, *command, "--timeout-graceful-shutdown", "60", "--log-level", "warning"],
        env={**os.environ, "DATABASE_URL": url},
        stderr=subprocess.PIPE,
    )
    until(lambda: answers(port), what="the web server")
    yield port, running
    running.kill()
    running.communicate()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_it_ends_its_streams_and_goes_quickly(
    process: tuple[int, "subprocess.Popen[bytes]"], scene: Scene, execution: Execution
) -> None:
    port, running = process
    client = Client()
    client.force_login(scene.person("developer"))
    visitor = Visitor(port, client.cookies["sessionid"].value)
    with visitor.watch(execution.pk, str(execution.seq)) as stream:
        assert stream.first("mode")
        running.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert list(stream) == []
        assert stream.raw.endswith(b"retry: 500\n\n")
    _, errors = running.communicate(timeout=60)
    assert time.monotonic() - began < 30  # it did not wait until it may cut them off
    assert b"Traceback" not in errors
