"""The services: started for good, known by more than their number, really stopped."""

import os
import signal
import subprocess

import pytest

from cvdops.practice.site import Site
from tests.practice.operator import Operator, environment_of, open_files_of
from tests.waiting import next_line, until


def test_a_stopped_service_does_not_answer(operator: Operator) -> None:
    operator.lines("sudo systemctl stop cvd nginx")
    with pytest.raises(ConnectionRefusedError):
        operator.get("/health")
    done = operator.run("systemctl is-active cvd nginx")
    assert (done.returncode, done.stdout) == (3, "inactive\ninactive\n")


def test_starting_twice_keeps_the_process(watcher: Operator) -> None:
    before = watcher.process()
    watcher.lines("sudo systemctl start cvd")
    assert watcher.process() == before


def test_a_restart_makes_a_new_process(watcher: Operator) -> None:
    before = watcher.process()
    watcher.lines("sudo systemctl restart cvd")
    assert watcher.process() != before
    assert watcher.get("/health")[0] == 200


def test_nothing_of_the_step_clings_to_the_service(watcher: Operator) -> None:
    watcher.lines("systemctl restart cvd nginx")
    for unit in ("cvd", "nginx"):
        pid = int(watcher.lines(f"systemctl show {unit} -p MainPID --value")[0])
        assert not [entry for entry in environment_of(pid) if entry.startswith("CVDOPS")]
        assert not [name for name in open_files_of(pid) if name.startswith("pipe:")]
        assert os.getsid(pid) == pid


def test_the_service_survives_the_end_of_the_step_that_started_it(watcher: Operator) -> None:
    script = "systemctl restart cvd && echo started && sleep 600"
    variables = watcher.site.variables()
    with subprocess.Popen(
        ["bash", "-c", script], env=variables, stdout=subprocess.PIPE, start_new_session=True
    ) as step:
        assert next_line(step) == b"started\n"
        os.killpg(step.pid, signal.SIGKILL)
    assert watcher.get("/health")[0] == 200


def test_a_killed_service_has_failed(watcher: Operator) -> None:
    os.kill(watcher.process(), signal.SIGKILL)
    until(lambda: watcher.run("systemctl is-active cvd").stdout == "failed\n")
    assert watcher.run("systemctl status cvd").returncode == 3
    watcher.lines("systemctl restart cvd")
    assert watcher.get("/health")[0] == 200


def test_a_number_that_was_given_again_is_not_the_service(operator: Operator) -> None:
    operator.lines("systemctl stop cvd nginx")
    record = operator.site.root / "run" / "cvd.pid"
    record.write_text(f'{{"pid": {os.getpid()}, "ticks": 1, "boot": "x", "since": 0}}')
    assert operator.run("systemctl stop cvd").returncode == 0  # and this test goes on
    assert operator.run("systemctl is-active cvd").stdout == "inactive\n"


def test_a_release_that_does_not_start_is_said_so_with_its_last_words(operator: Operator) -> None:
    done = operator.run("echo 'raise SystemExit(\"no luck\")' > app.py; systemctl restart cvd")
    assert done.returncode == 1
    assert "no luck" in done.stderr
    assert operator.run("systemctl is-failed cvd").stdout == "failed\n"


def test_only_the_loopback_address_is_listened_on(watcher: Operator) -> None:
    ports = watcher.lines("ss -Hltn | awk '{print $4}'")
    mine = [local for local in ports if local.endswith(f":{watcher.site.port}")]
    assert mine == [f"127.0.0.1:{watcher.site.port}"]


def test_stopping_what_was_never_created_changes_nothing(site: Site) -> None:
    site.stop()
    assert not site.root.exists()
