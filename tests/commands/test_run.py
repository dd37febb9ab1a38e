"""`manage.py run`: the same services, rules and audit as the page, and what it says to the shell."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone
from pytest_django import Settings

from cvdops.access.levels import Level
from cvdops.access.models import MatrixCell
from cvdops.approvals.models import ApprovalRequest
from cvdops.audit.models import AuditEntry
from cvdops.environments.models import Environment, Period
from cvdops.executions import services
from cvdops.executions.models import Execution
from tests.cast import person
from tests.commands.worker import working
from tests.executions import scene as scenes
from tests.executions.scene import Scene
from tests.faults.workers import database_url
from tests.waiting import PATIENCE, joined, next_line, until

PROJECT = Path(__file__).parents[2]
SAY = '#### Say\n```bash {#say}\nprintf "\\033[1mone\\033[0m\\033[2J\\ntwo"\n```\n'
FAIL = "#### Break\n```bash {#break}\necho before\nexit 42\n```\n"
GATE = "#### Ask\n```approval {#ask}\napprovers: [operations-manager]\n```\n"
SLOW = "#### Wait\n```bash {#wait timeout=600s}\necho begun\nsleep 500\n```\n"
USUAL = ("--env", "development", "--reason", "a test", "--confirm-checklist")


@pytest.fixture
def scene(transactional_db: None, tmp_path: Path) -> Scene:
    made = scenes.make(tmp_path)
    made.person("devops-engineer")
    return made


def run(*arguments: str, by: str = "devops-engineer") -> tuple[int, str, str]:
    """What it ended with, stdout and stderr."""
    out, err = StringIO(), StringIO()
    try:
        call_command("run", "trial", "--as", by, *arguments, stdout=out, stderr=err)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_it_follows_to_a_good_end(scene: Scene) -> None:
    scene.runbook(SAY)
    with working():
        code, out, err = run(*USUAL, "--follow")
    assert (code, out) == (0, "one\ntwo")
    assert "▶ Say (here)" in err and "✓ Say (here)" in err and ": succeeded." in err
    execution = Execution.objects.get()
    where = f"/executions/{execution.pk}/ of the portal (set CVDOPS_URL to its address"
    assert f"#{execution.number} was started: {where}" in err
    assert execution.requested_by == scene.person("devops-engineer")
    entries = AuditEntry.objects.filter(action="execution.start", allowed=True)
    assert any("manage.py run by" in str(entry.data.get("by")) for entry in entries)


def test_it_names_its_page_as_a_whole(scene: Scene, settings: Settings) -> None:
    settings.PORTAL_URL = "https://ops.example.com"
    scene.runbook(GATE)
    scene.person("operations-manager")
    with working():
        _code, out, err = run(*USUAL, "--json")
    page = f"https://ops.example.com/executions/{Execution.objects.get().pk}/"
    assert f"was started: {page}\n" in err and f"Its page: {page}\n" in err
    assert "decided at https://ops.example.com/approvals/" in err
    assert json.loads(out)["url"] == page


def test_a_failed_step_ends_it_with_1_and_says_its_code(scene: Scene) -> None:
    scene.runbook(FAIL)
    with working():
        code, out, err = run(*USUAL, "--follow")
    assert (code, out) == (1, "before\n")
    assert "✗ Break (here): failed, exit code 42" in err
    assert "somebody decides what to do" in err and "Its page: /executions/" in err


def test_without_follow_it_waits_for_the_end_all_the_same(scene: Scene) -> None:
    scene.runbook(SAY)
    with working():
        code, out, _err = run(*USUAL)
    assert (code, out, Execution.objects.get().state) == (0, "", "succeeded")


def test_a_gate_ends_it_with_3_and_names_who_can_decide(scene: Scene) -> None:
    scene.runbook(GATE + SAY)
    scene.person("operations-manager")
    with working():
        code, _out, err = run(*USUAL)
    assert code == 3
    assert "Approval: Ask" in err and "now Operations-Manager" in err
    assert f"/approvals/{scene.gate(Execution.objects.get()).pk}/" in err


def test_with_follow_it_goes_on_through_a_gate(scene: Scene) -> None:
    scene.runbook(GATE + SAY)
    scene.person("operations-manager")
    with working(), deciding("approve"):
        code, out, _err = run(*USUAL, "--follow", "--wait", "10m")
    assert (code, out) == (0, "one\ntwo")


def test_a_rejection_is_1(scene: Scene) -> None:
    scene.runbook(GATE + SAY)
    scene.person("operations-manager")
    with working(), deciding("reject"):
        code, _out, err = run(*USUAL, "--follow", "--wait", "10m")
    assert code == 1 and ": rejected." in err


class deciding:  # noqa: N801 — reads as a statement
    """The manager decides as soon as they are asked."""

    def __init__(self, verdict: str) -> None:
        self._thread = threading.Thread(target=self._decide, args=(verdict,), daemon=True)

    def _decide(self, verdict: str) -> None:
        try:
            request = until(lambda: ApprovalRequest.objects.filter(state="open").first())
            manager = person("operations-manager")
            services.decide(manager, request.pk, verdict, "seen", request.plan_digest)
        finally:
            connections.close_all()

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_error: object) -> None:
        joined(self._thread)


def test_without_a_worker_it_says_so_and_ends_with_3(scene: Scene) -> None:
    scene.runbook(SAY)
    code, _out, err = run(*USUAL)
    assert code == 3 and "It waits: No worker serves env.development for a day or more." in err


def test_as_json_stdout_has_the_result_alone(scene: Scene) -> None:
    scene.runbook(SAY)
    with working():
        code, out, err = run(*USUAL, "--follow", "--json")
    found = json.loads(out)
    assert (code, found["state"], found["waiting_for"]) == (0, "succeeded", None)
    assert [(s["id"], s["state"], s["exit_code"]) for s in found["steps"]] == [
        ("say", "succeeded", 0)
    ]
    assert "two" in err


def refused(*arguments: str, by: str = "devops-engineer") -> str:
    with pytest.raises(CommandError) as error:
        run(*arguments, by=by)
    assert error.value.returncode == 2
    assert not Execution.objects.exists()
    return str(error.value)


def test_what_is_missing_is_named_with_its_flags(scene: Scene) -> None:
    scene.runbook(SAY, extra="variables:\n  SIZE: {type: integer, required: true}\n")
    Environment.objects.filter(pk="development").update(protected=True)
    said = refused("--env", "development")
    assert "SIZE" in said and "Say why you run it" in said and "Confirm before the start" in said
    for flag in ("--confirm-checklist", "--confirm-environment", "--reason", "--var SIZE=VALUE"):
        assert said.count(f"Say it with {flag}.") == 1


def test_outside_protected_environments_starting_it_is_the_word_for_the_checklist(
    scene: Scene,
) -> None:
    scene.runbook(SAY)
    with working():
        code, _, err = run("--env", "development", "--follow")
    made = Execution.objects.get()
    assert code == 0 and made.reason.startswith("Started with manage.py run by ")
    confirmed = made.checklist.filter(moment="before", confirmed_by__isnull=False)
    assert confirmed and all(f"Confirmed by starting it: {m.text}" in err for m in confirmed)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--env", "nowhere"), "There is no environment “nowhere”"),
        (("--env", "development", "--procedure", "x"), "x"),
    ],
)
def test_bad_input_is_2(scene: Scene, arguments: tuple[str, ...], word: str) -> None:
    scene.runbook(SAY)
    assert word in refused(*arguments)


def test_who_may_not_is_refused_with_the_remedy_and_it_is_in_the_log(scene: Scene) -> None:
    scene.runbook(SAY)
    scene.person("developer")
    assert refused(*USUAL, by="developer")
    entry = AuditEntry.objects.get(allowed=False)
    assert entry.actor == scene.person("developer") and "manage.py run" in entry.data["by"]


def test_a_runbook_out_of_sight_is_not_there(scene: Scene) -> None:
    scene.runbook(SAY)
    MatrixCell.objects.filter(role="developer").update(level=Level.NONE)
    scene.person("developer")
    hidden = refused(*USUAL, by="developer")
    assert hidden == "There is no such runbook, or you may not see it."


def test_nobody_of_that_name(scene: Scene) -> None:
    scene.runbook(SAY)
    assert "There is no open account nobody" in refused(*USUAL, by="nobody")


def test_a_variable_comes_from_the_environment_where_nobody_sees_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.runbook(
        '#### Say\n```bash {#say}\necho "$COLOUR"\n```\n', extra="variables:\n  COLOUR: {}\n"
    )
    monkeypatch.setenv("COLOUR", "green")
    with working():
        assert run(*USUAL, "--follow", "--var", "COLOUR")[:2] == (0, "green\n")


def test_a_dry_run_shows_the_plan_and_asks_the_hosts(scene: Scene) -> None:
    scene.runbook(GATE + SAY)
    with working():
        code, out, _err = run("--env", "development", "--dry-run")
    assert code == 0 and not Execution.objects.exists()
    assert "2. Say (here)" in out and "| printf" in out and "here: ready" in out
    assert "Approval “Ask”: 1 of Operations Manager." in out
    assert out.endswith("Nothing was started or changed.\n")


def test_a_dry_run_of_what_is_missing_is_1_and_without_a_worker_3(scene: Scene) -> None:
    scene.runbook("#### Go\n```bash {#go}\nno-such-command\n```\n")
    with working():
        code, out, _err = run("--env", "development", "--dry-run", "--json")
    assert (code, json.loads(out)["hosts"][0]["good"]) == (1, False)


def test_a_dry_run_of_what_may_not_run_now_is_1(scene: Scene) -> None:
    scene.runbook("#### Go\n```bash {#go destructive}\ntrue\n```\n")
    tomorrow = timezone.now() + timedelta(days=1)
    Period.objects.create(
        environment_id="development",
        name="w",
        kind="window",
        starts_at=tomorrow,
        minutes=60,
        rule="",
    )
    with working():
        code, out, _err = run("--env", "development", "--dry-run")
    assert code == 1 and "Not now: " in out and "here: ready" in out


def test_a_dry_run_without_a_worker_is_3(scene: Scene) -> None:
    scene.runbook(SAY)
    code, out, _err = run("--env", "development", "--dry-run")
    assert (
        code == 3 and "here: not asked. No worker serves env.development for a day or more." in out
    )


@pytest.fixture
def shell(scene: Scene) -> Callable[..., subprocess.Popen[bytes]]:
    """The command as a program of its own, on the database of the test."""

    def begin(*arguments: str, **options: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, "manage.py", "run", "trial", "--as", "devops-engineer", *USUAL]
        environment = {**os.environ, "DATABASE_URL": database_url()}
        return subprocess.Popen(
            [*command, *arguments],
            cwd=PROJECT,
            env=environment,
            start_new_session=True,
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, **options},
        )

    return begin


def test_ctrl_c_without_a_terminal_only_stops_watching(
    scene: Scene, shell: Callable[..., subprocess.Popen[bytes]]
) -> None:
    scene.runbook(SLOW)
    with working():
        program = shell("--follow", stderr=subprocess.PIPE)
        assert next_line(program) == b"begun\n"
        program.send_signal(signal.SIGINT)
        _out, err = program.communicate(timeout=60)
        assert program.returncode == 130
        assert b"No longer watched. The execution goes on.\nIts page: /executions/" in err
        execution = Execution.objects.get()
        assert execution.state == "running"
        services.cancel(scene.person("devops-engineer"), execution.pk)
        until(lambda: Execution.objects.get().state == "cancelled")


def test_it_ends_quietly_when_nobody_reads_any_more(
    scene: Scene, shell: Callable[..., subprocess.Popen[bytes]]
) -> None:
    scene.runbook(SAY)
    here, there = os.pipe()
    os.close(here)
    with working():
        program = shell("--follow", stdout=there, stderr=subprocess.PIPE)
        os.close(there)
        _out, err = program.communicate(timeout=60)
        until(lambda: Execution.objects.get().state == "succeeded")
    assert program.returncode == 141 and b"Traceback" not in err


@pytest.mark.parametrize(
    ("answer", "state", "code"), [("c", "cancelled", 1), ("s", "running", 130)]
)
def test_ctrl_c_at_a_terminal_asks(
    scene: Scene,
    shell: Callable[..., subprocess.Popen[bytes]],
    answer: str,
    state: str,
    code: int,
) -> None:
    scene.runbook(SLOW)
    here, there = pty.openpty()
    with working():
        program = shell("--follow", stdin=there, stdout=there, stderr=there)
        os.close(there)
        said = Terminal(here)
        said.until("begun")
        program.send_signal(signal.SIGINT)
        said.until("[c/s/Enter]")
        os.write(here, f"{answer}\n".encode())
        said.until(": cancelled" if answer == "c" else "No longer watched")
        assert program.wait(60) == code
        execution = Execution.objects.get()
        assert execution.state == state
        if state == "running":
            services.cancel(scene.person("devops-engineer"), execution.pk)
        until(lambda: Execution.objects.get().state == "cancelled")
    os.close(here)
    assert "\x1b[1m▶ Wait (here)" in said.text  # colours, at a terminal


class Terminal:
    """The screen of a program."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.text = ""

    def until(self, word: str) -> None:
        while word not in self.text:
            ready, _, _ = select.select([self._descriptor], [], [], PATIENCE)
            assert ready, f"{word!r} does not come: {self.text!r}"
            self.text += os.read(self._descriptor, 4096).decode("utf-8", "replace")
