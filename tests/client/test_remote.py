"""`cvdops` against a real portal."""

import json
import os
import signal
from contextlib import closing
from pathlib import Path

import pytest

from cvdops.access.models import RoleGrant
from cvdops.executions import services
from cvdops.executions.models import Execution
from tests.client.program import USUAL, Program
from tests.commands.worker import working
from tests.executions.scene import Scene
from tests.live.output import note
from tests.proxy import Proxy
from tests.waiting import next_line, until

SAY = '#### Say\n```bash {#say}\nprintf "\\033[1mone\\033[0m\\033[2J\\ntwo"\n```\n'
FAIL = "#### Break\n```bash {#break}\necho before\nexit 42\n```\n"
GATE = "#### Ask\n```approval {#ask}\napprovers: [operations-manager]\n```\n"
COUNT = (
    '#### Count\n```bash {#count}\nfor i in $(seq 1 40); do echo "line $i"; sleep 0.04; done\n```\n'
)
SLOW = "#### Wait\n```bash {#wait timeout=600s}\necho begun\nsleep 500\n```\n"


def test_it_runs_and_follows_to_a_good_end(scene: Scene, engineer: Program) -> None:
    scene.runbook(SAY)
    with working():
        done = engineer.run("run", "trial", *USUAL, "--follow")
    assert (done.code, done.out) == (0, "one\ntwo")
    number = Execution.objects.get().number
    assert f"#{number} was started: {engineer.environment['CVDOPS_URL']}/executions/" in done.err
    assert "▶ Say (here)" in done.err and "✓ Say (here)" in done.err


def test_a_failed_step_is_1_with_its_code(scene: Scene, engineer: Program) -> None:
    scene.runbook(FAIL)
    with working():
        done = engineer.run("run", "trial", *USUAL, "--follow")
    assert (done.code, done.out) == (1, "before\n")
    assert "failed, exit code 42" in done.err and "Go on watching: cvdops watch" in done.err


def test_a_gate_is_3_and_is_decided_by_what_was_read(
    scene: Scene, engineer: Program, manager: Program
) -> None:
    scene.runbook(GATE + SAY)
    with working():
        started = engineer.run("run", "trial", *USUAL, "--json")
        assert started.code == 3
        request = json.loads(started.out)["approvals"][0]
        assert f"cvdops approve {request['id']}" in started.err
        assert request["id"] in manager.run("approvals").out
        unread = manager.run("approve", request["id"])
        assert unread.code == 2 and f"--digest {request['plan_digest']}" in unread.err
        assert unread.err.count(request["id"]) == 1 and "Plan " in unread.err
        assert "  ENVIRONMENT=development\n" in unread.err
        wrong = manager.run("approve", request["id"], "--digest", "abcdef")
        assert wrong.code == 2 and "has another plan digest than this request" in wrong.err
        own = engineer.run("approve", request["id"], "--digest", request["plan_digest"])
        assert own.code == 2 and Execution.objects.get().state == "waiting"
        agreed = manager.run("approve", request["id"], "--digest", request["plan_digest"])
        assert (agreed.code, agreed.out) == (0, "Trial: Ask: approved.\n")
        watched = engineer.run("watch", str(Execution.objects.get().number), "--wait", "5m")
    assert (watched.code, watched.out) == (0, "one\ntwo")


def test_a_rejection_is_1(scene: Scene, engineer: Program, manager: Program) -> None:
    scene.runbook(GATE + SAY)
    with working():
        started = json.loads(engineer.run("run", "trial", *USUAL, "--json").out)
        digest = started["plan_digest"]
        words = ("--digest", digest, "--comment", "not on a Friday")
        assert manager.run("reject", started["id"], *words).code == 0
        done = engineer.run("watch", started["id"])
    assert done.code == 1 and ": rejected." in done.err


def test_connections_that_break_lose_and_double_nothing(
    scene: Scene, server: int, engineer: Program
) -> None:
    scene.runbook(COUNT)
    with working(), closing(Proxy(server)) as proxy:
        through = {**engineer.environment, "CVDOPS_URL": f"http://localhost:{proxy.port}"}
        program = Program(through).begin("run", "trial", *USUAL, "--follow")
        first = next_line(program)
        proxy.cut()
        out, err = program.communicate(timeout=120)
    assert program.returncode == 0, err.decode()
    assert first + out == b"".join(b"line %d\n" % number for number in range(1, 41))


def test_ctrl_c_stops_watching_and_says_how_to_go_on(scene: Scene, engineer: Program) -> None:
    scene.runbook(SLOW)
    with working():
        program = engineer.begin("run", "trial", *USUAL, "--follow", start_new_session=True)
        assert next_line(program) == b"begun\n"
        program.send_signal(signal.SIGINT)
        _out, err = program.communicate(timeout=60)
        number = str(Execution.objects.get().number)
        assert program.returncode == 130
        assert f"Go on watching: cvdops watch {number}" in err.decode()
        done = engineer.run("cancel", number, "--comment", "enough")
        assert done.code == 0 and f"#{number} is " in done.out
        until(lambda: Execution.objects.get().state == "cancelled")


def test_a_dry_run_shows_the_plan_and_starts_nothing(scene: Scene, engineer: Program) -> None:
    scene.runbook(GATE + SAY)
    with working():
        done = engineer.run("run", "trial", "--env", "development", "--reason", "x", "--dry-run")
    assert done.code == 0 and "2. Say (here)\n   | printf " in done.out
    assert "here: ready\n" in done.out and "approvers" not in done.out
    assert done.out.endswith("Nothing was started or changed.\n")
    assert not Execution.objects.exists()


def test_a_dry_run_ends_with_1_for_what_is_missing_and_3_without_a_worker(
    scene: Scene, engineer: Program
) -> None:
    scene.runbook("#### Go\n```bash {#go}\nno-such-command\n```\n")
    dry = ("run", "trial", "--env", "development", "--reason", "x", "--dry-run")
    idle = engineer.run(*dry)
    assert idle.code == 3 and "here: not asked. No worker serves env.development" in idle.out
    with working():
        done = engineer.run(*dry, "--json")
    assert (done.code, json.loads(done.out)["checks"][0]["good"]) == (1, False)


def test_without_a_worker_it_says_so_and_ends_with_3(scene: Scene, engineer: Program) -> None:
    scene.runbook(SAY)
    said = "It waits: No worker serves env.development for a day or more."
    done = engineer.run("run", "trial", *USUAL)
    assert done.code == 3 and said in done.err
    assert said in engineer.run("show", str(Execution.objects.get().number)).out


def test_it_says_who_holds_the_lock_that_is_waited_for(scene: Scene, engineer: Program) -> None:
    scene.runbook("#### Ask\n- [ ] All is well\n", extra="locks: [db]\n")
    first, second = scene.run(), scene.run()
    said = f"another execution. db is held by #{first.number} trial since 20"
    assert said in engineer.run("show", str(second.number)).out
    program = engineer.begin("watch", str(second.number))
    assert program.stderr is not None
    until(lambda: said.encode() in program.stderr.readline(), what="the holder")
    services.cancel(scene.person("devops-engineer"), second.pk)
    program.communicate(timeout=60)


def test_it_looks(scene: Scene, engineer: Program, tmp_path: Path) -> None:
    scene.runbook(SAY)
    with working():
        assert engineer.run("run", "trial", *USUAL).code == 0
    number = str(Execution.objects.get().number)
    assert "trial" in engineer.run("runbooks").out
    assert "--procedure do-it: Do it (say)" in engineer.run("runbooks", "trial").out
    assert f"#{number} " in engineer.run("executions", "--env", "development").out
    shown = engineer.run("show", number).out
    assert shown.startswith(f"#{number} trial 1.0.0, do-it, in development: succeeded")
    # Into a file it goes byte for byte, as it is stored.
    assert engineer.run("output", number, "say").out == "\x1b[1mone\x1b[0m\x1b[2J\ntwo"
    assert engineer.run("output", number, "say", "--offset", "16").out == "two"
    read = engineer.run("output", number, "say", "--offset", "16", "--json").out
    assert json.loads(read) == {
        "offset": 16, "next_offset": 19, "encoding": "utf-8", "content": "two"
    }  # fmt: skip
    everything = json.loads(engineer.run("show", number, "--json").out)
    assert everything["state"] == "succeeded"


def test_it_says_why_a_step_did_not_succeed(scene: Scene, engineer: Program) -> None:
    scene.runbook(FAIL)
    scene.run()
    number = str(Execution.objects.get().number)
    [step] = json.loads(engineer.run("show", number, "--json").out)["steps"]
    assert step["state"] == "failed" and step["note"]
    assert engineer.run("show", number).out.endswith(f"{step['id']} on here: {step['note']}\n")


def test_steps_are_acted_on(scene: Scene, engineer: Program, server: int, tmp_path: Path) -> None:
    scene.runbook(FAIL + SAY)
    lead = Program.of("operations-lead", server, tmp_path)
    with working():
        assert engineer.run("run", "trial", *USUAL).code == 1
        number = str(Execution.objects.get().number)
        assert engineer.run("retry", number, "break").code == 0
        until(lambda: Execution.objects.get().steps.get(key="break").attempt_count == 2)
        until(lambda: Execution.objects.get().state == "waiting")
        refused = engineer.run("skip", number, "break", "--comment", "not needed")
        assert refused.code == 2 and "Lead" in refused.err
        assert lead.run("skip", number, "break", "--comment", "not needed").code == 0
        assert lead.run("watch", number).code == 0


def test_a_document_is_held_to_the_rules(scene: Scene, engineer: Program, tmp_path: Path) -> None:
    scene.runbook(SAY)
    assert engineer.run("lint", str(tmp_path / "TRIAL.md")).code == 0
    wrong = tmp_path / "wrong.md"
    wrong.write_text("# T\n\n## Procedures\n```bash {timeout=soon}\ntrue\n```\n")
    done = engineer.run("lint", str(wrong))
    assert done.code == 1 and f"{wrong}:4: error:" in done.out and "[RB203]" in done.out
    assert engineer.run("lint", str(tmp_path / "nothing.md")).code == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "trial", "--env", "development"), ("--confirm-checklist", "--reason")),
        (("run", "trial", "--env", "nowhere", "--reason", "x"), ("There is no environment",)),
        (("run", "nothing", *USUAL), ("There is no such runbook",)),
        (("show", "999999"), ("There is no execution 999999",)),
        (("show", "no-such-id"), ("There is no such execution",)),
        (("show", "../runbooks"), ("There is no such",)),
        (("approve", "nothing"), ("No request nothing is open",)),
    ],
)
def test_bad_input_is_2_in_a_sentence(
    scene: Scene, engineer: Program, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    scene.runbook(SAY)
    done = engineer.run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Error: ") and all(word in done.err for word in words)
    as_json = json.loads(engineer.run(*arguments, "--json").out)
    assert as_json["error"]["detail"]
    assert not Execution.objects.exists()


def test_everything_wrong_is_named_with_its_flag(scene: Scene, engineer: Program) -> None:
    scene.runbook(SAY, extra="variables:\n  SIZE: {type: integer, required: true}\n")
    said = engineer.run("run", "trial", "--env", "development").err
    assert "SIZE is required: give a value. Say it with --var SIZE=VALUE.\n" in said
    assert said.count("Say it with --confirm-checklist.") == 1 and "--reason." in said
    assert "SIZE: SIZE" not in said and "\n: " not in said


def test_what_can_be_written_nowhere_is_74_in_a_sentence(scene: Scene, engineer: Program) -> None:
    with Path("/dev/full").open("wb") as full:
        program = engineer.begin("executions", stdout=full)
        _out, err = program.communicate(timeout=60)
    assert program.returncode == 74
    assert err == b"Error: What it printed could not be written: No space left on device.\n"


def test_a_token_that_opens_nothing_and_one_of_too_small_a_scope(
    scene: Scene, engineer: Program, server: int, tmp_path: Path
) -> None:
    scene.runbook(SAY)
    done = engineer.run("runbooks", CVDOPS_TOKEN="cvdops_" + "x" * 43)
    assert done.code == 2 and "This token opens nothing" in done.err
    reader = Program.of("devops-engineer", server, tmp_path, "read")
    done = reader.run("run", "trial", *USUAL)
    assert done.code == 2 and "needs the scope run" in done.err


def test_a_right_that_ends_ends_the_watching(scene: Scene, engineer: Program) -> None:
    scene.runbook(GATE)
    execution = scene.run()
    program = engineer.begin("watch", str(execution.number), "--wait", "10m")
    assert program.stderr is not None
    until(lambda: b"It waits" in program.stderr.readline())
    RoleGrant.objects.filter(user__username="devops-engineer").delete()
    note(execution, "moved")
    _out, err = program.communicate(timeout=60)
    assert program.returncode == 2 and b"you may not see it" in err


def test_a_portal_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    given = {"CVDOPS_URL": "http://localhost:1", "CVDOPS_TOKEN": "x", "HOME": str(tmp_path)}
    done = Program(given).run("runbooks")
    assert done.code == 2
    assert done.err.startswith("Error: The portal at http://localhost:1 cannot be reached: ")


def test_it_stops_when_nobody_reads_any_more(scene: Scene, engineer: Program) -> None:
    scene.runbook(SAY)
    here, there = os.pipe()
    os.close(here)
    program = engineer.begin("runbooks", stdout=there)
    os.close(there)
    _out, err = program.communicate(timeout=60)
    assert (program.returncode, err) == (141, b"")
