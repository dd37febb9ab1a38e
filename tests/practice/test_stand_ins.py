"""`systemctl`, `sudo` and `journalctl` as steps call them."""

import pytest

from tests.practice.operator import Operator


def test_status_shows_state_process_and_journal(watcher: Operator) -> None:
    text = "\n".join(watcher.lines("sudo systemctl status cvd nginx --no-pager"))
    assert text.count("Active: active (running)") == 2
    assert f"Main PID: {watcher.process()}" in text
    assert "CVD v1.0.0 listens on" in text


def test_show_prints_the_properties_that_were_asked_for(watcher: Operator) -> None:
    assert watcher.lines("systemctl show cvd --property=ActiveState,SubState") == [
        "ActiveState=active",
        "SubState=running",
    ]


def test_units_are_listed(watcher: Operator) -> None:
    assert [line.split()[0] for line in watcher.lines("systemctl list-units")] == [
        "cvd.service",
        "nginx.service",
    ]
    assert watcher.lines("systemctl --failed") == []


def test_an_unknown_unit_is_refused(watcher: Operator) -> None:
    done = watcher.run("systemctl start apache2")
    assert (done.returncode, done.stderr) == (5, "Unit apache2.service could not be found.\n")
    assert watcher.run("systemctl status apache2").returncode == 4


@pytest.mark.parametrize("arguments", ["", "frobnicate cvd", "start"])
def test_systemctl_says_what_it_does_not_understand(watcher: Operator, arguments: str) -> None:
    done = watcher.run(f"systemctl {arguments}")
    assert (done.returncode == 0) == (arguments == "")
    assert (done.stderr == "") == (arguments == "")


def test_a_disabled_service_says_so(watcher: Operator) -> None:
    watcher.lines("sudo systemctl disable cvd")
    assert watcher.run("systemctl is-enabled cvd").stdout == "disabled\n"
    assert watcher.lines("sudo systemctl enable cvd && systemctl is-enabled cvd") == ["enabled"]


def test_reload_leaves_the_process(watcher: Operator) -> None:
    before = watcher.process()
    watcher.lines("sudo systemctl reload cvd nginx")
    assert watcher.process() == before


@pytest.mark.parametrize("options", ["", "-n", "-u cvdapp", "-E --", "-n -u cvdapp --", "A=b"])
def test_sudo_runs_the_command_as_it_is(watcher: Operator, options: str) -> None:
    assert watcher.lines(f"sudo {options} printf '%s|' 'two words' \"it's\"") == ["two words|it's|"]


def test_sudo_hands_on_the_exit_code(watcher: Operator) -> None:
    assert watcher.run("sudo -u cvdapp sh -c 'exit 7'").returncode == 7
    assert watcher.run("sudo").returncode == 1


def test_journalctl_shows_the_end_of_one_journal(watcher: Operator) -> None:
    lines = watcher.lines("journalctl -u cvd.service -n 1 --no-pager")
    assert len(lines) == 1
    assert " systemd: " in lines[0]
    assert lines[0].endswith("cvd.service")


@pytest.mark.parametrize(
    ("since", "found"), [("1 hour ago", True), ("today", True), ("2999-01-01", False)]
)
def test_journalctl_shows_what_is_new_enough(watcher: Operator, since: str, found: bool) -> None:
    lines = watcher.lines(f"journalctl -u cvd --since '{since}'")
    assert (lines != ["-- No entries --"]) == found


def test_journalctl_shows_errors_alone(operator: Operator) -> None:
    operator.lines('mv "$DATABASE_PATH" aside; systemctl restart cvd || true')
    lines = operator.lines("journalctl -u cvd -p err")
    assert len(lines) == 1
    assert "ERROR the database" in lines[0]


def test_journalctl_refuses_a_time_it_does_not_understand(watcher: Operator) -> None:
    done = watcher.run("journalctl -u cvd --since soon")
    assert (done.returncode, done.stderr) == (1, "Failed to parse timestamp: soon\n")
