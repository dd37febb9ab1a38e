"""What `cvdops` shows of plans, of two executions, of the evidence of one, and takes along as files."""

import csv
import io
import json

from cvdops.audit.models import AuditEntry
from cvdops.client.plans import plan
from cvdops.executions import filters
from cvdops.executions.models import Execution
from tests.cast import person
from tests.client.program import USUAL, Program
from tests.commands.worker import working
from tests.executions.scene import Scene
from tests.executions.test_http import ask
from tests.http_server import HttpServer, answer

GATE = "#### Ask\n```approval {#ask}\napprovers: [operations-manager]\nmessage: Is it quiet?\n```\n"
WIPE = "#### Wipe\n```bash {#wipe destructive}\nrm -f $WHAT\n```\n"
SAY = "#### Say\n```bash {#say}\necho said\n```\n"
VARIABLES = "variables:\n  WHAT: {type: path, default: /srv/old}\n"


def test_who_decides_sees_every_command_first(
    scene: Scene, engineer: Program, manager: Program
) -> None:
    scene.runbook(GATE + WIPE, extra=VARIABLES)
    with working():
        started = json.loads(engineer.run("run", "trial", *USUAL, "--json").out)
    request = started["approvals"][0]["id"]
    shown = manager.run("approve", request)
    assert shown.code == 2
    lines = (
        "In development: 2 steps on here, 1 of them destructive, 1 gate.",
        "1. Ask [this gate]",
        "   > Is it quiet?",
        "2. Wipe (here) [destructive]",
        "     WHAT=/srv/old",
        "   | rm -f $WHAT",
    )
    assert all(f"{line}\n" in shown.err for line in lines), shown.err
    assert manager.run("plan", str(started["number"])).out.startswith(lines[0])


def test_programs_read_the_same_as_data(scene: Scene, engineer: Program, manager: Program) -> None:
    scene.runbook(GATE + WIPE, extra=VARIABLES)
    with working():
        started = json.loads(engineer.run("run", "trial", *USUAL, "--json").out)
        unread = manager.run("approve", started["id"], "--json")
        error = json.loads(unread.out)["error"]
        assert (unread.code, error["code"]) == (2, "unread")
        assert error["request"]["id"] == started["approvals"][0]["id"]
        ask, wipe = error["plan"]["steps"]
        assert (ask["text"], wipe["body"], wipe["destructive"]) == (
            "Is it quiet?",
            "rm -f $WHAT\n",
            True,
        )
        digest = error["plan"]["plan_digest"]
        done = manager.run("approve", started["id"], "--digest", digest, "--json")
    said = json.loads(done.out)
    assert (done.code, said["state"], said["plan"]) == (0, "approved", error["plan"])


def test_a_plan_says_what_would_undo_it() -> None:
    step = {
        "id": "go", "title": "Go", "kind": "bash", "hosts": [], "body": "true\n", "values": {}, "text": "",
        "checklist": ["Look"], "rollback": "back", "destructive": False, "checkpoint": True,
    }  # fmt: skip
    back = {**step, "id": "back", "title": "Go back", "rollback": None, "checkpoint": False}
    assert list(plan({"steps": [step], "rollback": [back]}, "staging")) == [
        "In staging: 1 step, none of them destructive, no gates.",
        "1. Go [checkpoint]", "   [ ] Look", "   | true", "   undone by: Go back",
        "", "What a rollback could run:", "1. Go back", "   [ ] Look", "   | true",
    ]  # fmt: skip


def test_two_are_compared_and_one_proves_what_it_was(scene: Scene, engineer: Program) -> None:
    scene.runbook("#### Say\n```bash {#say}\necho $WHAT\n```\n", extra=VARIABLES)
    with working():
        for what in ("/srv/one", "/srv/two"):
            assert engineer.run("run", "trial", *USUAL, "--var", f"WHAT={what}").code == 0
    first, second = Execution.objects.order_by("number")
    compared = engineer.run("compare", str(first.number), f"#{second.number}").out
    assert "  WHAT: /srv/one → /srv/two\n" in compared
    assert "   - /srv/one\n   + /srv/two\n" in compared
    shown = engineer.run("evidence", str(first.number)).out
    attempt = first.steps.get().attempts.get()
    assert (
        f"say (here), attempt 1: succeeded, exit 0, 9 bytes, SHA-256 {attempt.output_digest}\n"
        in shown
    )
    whole = json.loads(engineer.run("evidence", str(first.number), "--json").out)
    assert whole["version"]["content_hash"] == first.version.content_hash
    assert engineer.run("evidence", "999999").code == 2


def test_lists_are_files(scene: Scene, engineer: Program, server: int) -> None:
    scene.runbook(SAY)
    for _ in range(2):
        scene.run()
    done = engineer.run("executions", "--since", "2020-01-01", "--limit", "1", "--csv")
    found = list(csv.DictReader(io.StringIO(done.out, newline="")))
    assert [int(row["number"]) for row in found] == sorted(
        Execution.objects.values_list("number", flat=True)
    )
    refused = engineer.run("audit", "--csv")
    assert refused.code == 2 and refused.out == ""


def test_a_kept_filter_is_named(scene: Scene, engineer: Program) -> None:
    scene.runbook(SAY)
    scene.run()
    filters.save(person("devops-engineer"), "Nothing", "state=failed")
    assert len(json.loads(engineer.run("executions", "--json").out)["items"]) == 1
    assert json.loads(engineer.run("executions", "--saved", "Nothing", "--json").out)["items"] == []
    unknown = engineer.run("executions", "--saved", "Else")
    assert unknown.code == 2 and "Yours: “Nothing”." in unknown.err


def test_a_time_that_is_none_is_told_so(engineer: Program) -> None:
    done = engineer.run("executions", "--since", "yesterday")
    assert done.code == 2 and "a day such as 2026-11-29" in done.err


def test_what_may_not_be_read_is_asked_for_once(scene: Scene, manager: Program) -> None:
    with HttpServer(answer(b"the inside of the service")) as service:
        scene.environment.addresses.create(host="127.0.0.1", port=service.port)
        scene.environment.variables.create(name="BASE_URL", value=service.url)
        scene.runbook(ask("keep", "GET ${BASE_URL}/a", "capture=FOUND"))
        execution = scene.run()
    done = manager.run("watch", str(execution.number))
    assert done.code == 0 and "inside" not in done.out and "Execute" in done.out
    assert AuditEntry.objects.filter(allowed=False).count() == 1
