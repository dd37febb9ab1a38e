"""Publishing wake-ups: where to, and how long a page waits for a Redis that does not answer."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu.exceptions import OperationalError
from pytest_django import Settings

from cvdops.celery import App, app, broker_url, deaf
from cvdops.executions import checks
from cvdops.stack import redis
from cvdops.stack.parts import Running
from cvdops.stack.portal import PROJECT


@pytest.fixture
def broker() -> Iterator[tuple[App, Running]]:
    with tempfile.TemporaryDirectory() as folder:
        running = Running(redis.part(Path(folder)), Path(folder) / "log")
        running.wait_ready()
        publisher = App("publisher", set_as_current=False)
        publisher.conf.update(app.conf.changes, broker_url=broker_url(redis.url(Path(folder))))
        yield publisher, running
        publisher.close()
        running.stop()


@pytest.mark.parametrize(
    ("given", "spoken"),
    [
        ("redis://:key@redis:6379/0", "redis://:key@redis:6379/0"),
        ("rediss://redis/1", "rediss://redis/1"),
        ("unix:///tmp/a/redis.sock?db=3", "redis+socket:///tmp/a/redis.sock?virtual_host=3"),
        ("unix:///tmp/a/redis.sock", "redis+socket:///tmp/a/redis.sock?virtual_host=0"),
    ],
)
def test_the_address_in_celerys_spelling(given: str, spoken: str) -> None:
    assert broker_url(given) == spoken


def test_a_wake_up_lands_in_the_queue_its_caller_names(broker: tuple[App, Running]) -> None:
    publisher, _ = broker
    publisher.send_task("executions.advance", ["1"], queue="env.production")
    with publisher.connection_for_read() as connection:
        assert connection.SimpleQueue("env.production").get(timeout=60).headers["task"]


def test_a_page_does_not_wait_for_a_frozen_redis(broker: tuple[App, Running]) -> None:
    publisher, server = broker
    os.kill(server.process.pid, signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(OperationalError):
        publisher.send_task("executions.advance", ["1"], queue="env.production")
    assert time.monotonic() - began < 30  # it would wait for ever
    os.kill(server.process.pid, signal.SIGCONT)


def test_only_json_is_understood() -> None:
    assert app.conf.accept_content == ["json"]


@pytest.mark.parametrize(
    ("options", "remote_control", "expected"),
    [
        ({"without_gossip": True, "without_heartbeat": True}, False, True),
        ({"without_gossip": True, "without_heartbeat": True}, True, False),
        ({"without_gossip": False, "without_heartbeat": True}, False, False),
    ],
)
def test_a_worker_never_loses_all_three_signs_of_life(
    options: dict[str, bool], remote_control: bool, expected: bool
) -> None:
    """Without remote control, gossip and heartbeat it would not consume again after a lost Redis."""
    assert deaf(options, remote_control=remote_control) is expected


def test_such_a_worker_does_not_start() -> None:
    script = (
        "import sys; from cvdops.celery import app; app.conf.worker_enable_remote_control = False; "
        "app.worker_main(sys.argv[1:])"
    )
    flags = ["--pool", "threads", "--without-gossip", "--without-heartbeat"]
    command = [sys.executable, "-c", script, "worker", *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode != 0
    assert "Leave one of the three on" in done.stderr


def test_the_checks_are_clean_and_find_what_is_wrong(settings: Settings) -> None:
    assert [*checks.persistent_connections(), *checks.messages()] == []
    settings.DATABASES["default"]["CONN_MAX_AGE"] = 60
    assert [error.id for error in checks.persistent_connections()] == ["executions.E001"]
    settings.DATABASES["default"]["CONN_MAX_AGE"] = 0


def test_no_message_is_for_later() -> None:
    """Times are columns: what lies in Redis is lost, doubled, and unlimited in a worker's memory."""
    sources = [path.read_text() for path in (PROJECT / "cvdops").rglob("*.py")]
    assert not [s for s in sources if re.search(r"\b(eta|countdown)\s*=|\.apply_async\(", s)]
