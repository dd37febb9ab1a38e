"""Controlling executions and their steps by the API."""

import pytest

from cvdops.access.models import MatrixCell
from cvdops.audit.models import AuditEntry
from cvdops.catalog.models import Runbook
from cvdops.executions.models import Execution, Lock
from tests.api.calls import call, get, token
from tests.executions.scene import Scene
from tests.executions.test_engine import block
from tests.web.world import World


def post(role: str, execution: Execution, verb: str, **body: object) -> object:
    return call(token(role), "POST", f"executions/{execution.pk}/{verb}", body)


def test_pause_resume_cancel(world: World) -> None:
    made = world.start()
    for verb, state in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
        answer = post("devops-engineer", made, verb, comment="so")
        assert (answer.status_code, answer.json()["state"]) == (200, state), answer.content
    entries = AuditEntry.objects.filter(action="execution.control").order_by("id")
    assert [entry.data["verb"] for entry in entries] == ["pause", "resume", "cancel"]
    assert all("token" in entry.data for entry in entries)


def test_what_cannot_be_done_now_says_how_things_stand(world: World) -> None:
    answer = post("devops-engineer", world.start(), "resume")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert "queued" in answer.json()["detail"]


def stuck(scene: Scene) -> Execution:
    scene.runbook(
        block("one", "true", "destructive rollback=undo") + block("two", "false"),
        block("undo", "true"),
    )
    return scene.run()


def test_a_step_is_retried(scene: Scene) -> None:
    made = stuck(scene)
    answer = post("devops-engineer", made, "steps/two/retry", comment="again")
    assert answer.status_code == 200, answer.content
    assert [(s["id"], s["state"]) for s in answer.json()["steps"]][1] == ("two", "pending")
    assert answer.json()["state"] == "queued"


@pytest.mark.parametrize(
    ("verb", "body", "state"),
    [
        ("skip", {}, "skipped"),
        ("skip", {"outcome": "skipped"}, "skipped"),
        ("settle", {}, "succeeded"),
        ("settle", {"outcome": "succeeded"}, "succeeded"),
        ("settle", {"outcome": "skipped"}, "skipped"),
    ],
)
def test_a_lead_says_what_became_of_a_step(
    scene: Scene, verb: str, body: dict[str, str], state: str
) -> None:
    made = stuck(scene)
    without = post("operations-lead", made, f"steps/two/{verb}", **body)
    assert [p["field"] for p in without.json()["problems"]] == ["comment"]
    answer = post("operations-lead", made, f"steps/two/{verb}", comment="by hand", **body)
    assert answer.json()["steps"][1]["state"] == state, answer.content


@pytest.mark.parametrize(("intent", "state"), [("cancel", "cancelled"), ("", "timed_out")])
def test_of_a_stop_that_nobody_saw_only_the_stop_is_settled(
    scene: Scene, intent: str, state: str
) -> None:
    """It was asked to stop by a cancel, or because its time was up."""
    made = stuck(scene)
    Execution.objects.filter(pk=made.pk).update(intent=intent)
    made.steps.filter(key="two").update(unconfirmed=True, state="interrupted")
    answer = post("operations-lead", made, "steps/two/settle", comment="seen", outcome="succeeded")
    assert [p["field"] for p in answer.json()["problems"]] == ["outcome"]
    answer = post("operations-lead", made, "steps/two/settle", comment="seen")
    assert answer.json()["steps"][1]["state"] == state, answer.content


def test_nobody_else_overrides(scene: Scene) -> None:
    answer = post("devops-engineer", stuck(scene), "steps/two/settle", comment="done")
    assert answer.status_code == 403


def test_a_step_without_a_way_back_is_said_to_be_left(scene: Scene) -> None:
    scene.runbook(
        block("one", "true", "destructive rollback=undo") + block("two", "true", "destructive"),
        block("undo", "true"),
    )
    made = scene.run()
    scene.person("developer")
    found = get(token("developer"), f"executions/{made.pk}/rollback")
    assert [e["step"] for e in found["undone"]] == ["one"]
    assert [e["step"] for e in found["left"]] == ["two"]


def test_what_would_become_of_it_is_read_first(scene: Scene) -> None:
    path = f"executions/{stuck(scene).pk}"
    scene.person("developer")
    text = token("developer")
    found = get(text, f"{path}/rollback")
    assert [(e["step"], e["rollback"]) for e in found["undone"]] == [("one", "undo")]
    found = get(text, f"{path}/go-on", step="two")
    assert [(s["step"], s["fate"]) for s in found["steps"]] == [
        ("one", "reuse"),
        ("two", "run again"),
    ]
    assert (found["problem"], found["needs"]) == ("", "execution.control")


def test_what_was_decided_on_another_situation_is_not_done(scene: Scene) -> None:
    made = stuck(scene)
    scene.person("operations-lead")
    seen = get(token("operations-lead"), f"executions/{made.pk}")["situation"]
    assert post("devops-engineer", made, "steps/two/retry").status_code == 200
    scene.advance(made)
    for verb in ("steps/two/retry", "rollback", "give-up"):
        answer = post("operations-lead", made, verb, seen=seen)
        assert answer.status_code == 409 and "Devops-Engineer was first" in answer.json()["detail"]
    now = get(token("operations-lead"), f"executions/{made.pk}")["situation"]
    assert post("operations-lead", made, "give-up", seen=now).json()["state"] == "failed"


def test_rolling_back_and_giving_up(scene: Scene) -> None:
    made = stuck(scene)
    answer = post("devops-engineer", made, "give-up", comment="no use")
    assert answer.json()["state"] == "failed"
    answer = post("devops-engineer", made, "rollback", comment="back", down_to="one")
    assert answer.status_code == 200, answer.content
    assert [s["id"] for s in answer.json()["steps"] if s["phase"] == "rollback"] == ["undo"]
    assert scene.advance(made).state == "rolled_back"


@pytest.mark.parametrize("by", ["id", "key"])
def test_a_rollback_ends_where_it_is_to_end(scene: Scene, by: str) -> None:
    steps = [block(name, "true", f"destructive rollback=un{name}") for name in ("one", "two")]
    undo = [block(f"un{name}", "true") for name in ("one", "two")]
    scene.runbook("".join(steps) + block("three", "false"), "".join(undo))
    made = scene.run()
    down_to = "two" if by == "key" else str(made.steps.get(key="two").pk)
    answer = post("devops-engineer", made, "rollback", down_to=down_to)
    assert [s["id"] for s in answer.json()["steps"] if s["phase"] == "rollback"] == ["untwo"]
    assert post("devops-engineer", made, "rollback", down_to="four").status_code == 404


def test_going_on_from_another_step(scene: Scene) -> None:
    made = stuck(scene)
    answer = post("operations-lead", made, "go-on", step="one", comment="anew")
    assert {s["state"] for s in answer.json()["steps"]} == {"pending"}, answer.content
    assert post("operations-lead", made, "go-on", step="none", comment="x").status_code == 404


def test_items_are_confirmed_one_by_one_or_all_at_once(scene: Scene) -> None:
    scene.runbook("#### look\n\n- [ ] it is quiet\n- [ ] it is warm\n\n" + block("one", "true"))
    made = scene.run()
    (step,) = [s["id"] for s in get(token("developer"), f"executions/{made.pk}")["steps"]][:1]
    answer = post("devops-engineer", made, f"steps/{step}/confirm", items=[1], comment="it is")
    assert answer.json()["steps"][0]["state"] == "waiting", answer.content
    answer = post("devops-engineer", made, f"steps/{step}/confirm")
    assert answer.json()["steps"][0]["state"] == "succeeded"
    assert post("devops-engineer", made, f"steps/{step}/confirm").status_code == 409
    assert post("devops-engineer", made, f"steps/{step}/confirm", items=[7]).status_code == 422


def test_what_waits_for_a_lock_names_its_holder_to_whom_that_exists(scene: Scene) -> None:
    ask, lock = "#### Ask\n- [ ] All is well\n", "locks: [db]\n"
    scene.runbook(ask, extra=lock)
    scene.other("holder", ask, lock)
    first = scene.advance(scene.start(runbook="holder"))
    second, held = scene.run(), Lock.objects.get()
    Runbook.objects.filter(pk="holder").update(category="security")
    MatrixCell.objects.filter(role="developer", category="security").delete()
    for role, seen in (("devops-engineer", True), ("developer", False)):
        [told] = get(token(role), f"executions/{second.pk}")["waiting_for"]["locks"]
        assert (told["name"], told["since"][:19]) == ("db", f"{held.since:%Y-%m-%dT%H:%M:%S}")
        shown = (str(first.pk), first.number, "holder") if seen else (None, None, None)
        assert (told["execution"], told["number"], told["runbook"]) == shown


def test_of_a_step_on_several_hosts_one_is_named(scene: Scene) -> None:
    hosts = [scene.environment.hosts.get()]
    hosts.append(scene.environment.hosts.create(name="there", transport="local"))
    scene.environment.groups.create(name="web").hosts.set(hosts)
    scene.runbook(block("both", "false", "target=web"))
    made = scene.run()
    answer = post("devops-engineer", made, "steps/both/retry")
    assert [p["field"] for p in answer.json()["problems"]] == ["host"]
    assert "here, there" in answer.json()["detail"]
    answer = post("devops-engineer", made, "steps/both/retry", host="there")
    assert [(s["host"], s["state"]) for s in answer.json()["steps"]] == [
        ("here", "failed"),
        ("there", "pending"),
    ]


@pytest.mark.parametrize(
    "body",
    [{"comment": 1}, {"comment": "x" * 2001}, {"reason": "x"}, {"comment": "\0"}, [], "null", "x"],
)
@pytest.mark.parametrize("verb", ["pause", "cancel", "rollback", "steps/hello/retry"])
def test_a_body_that_does_not_fit_changes_nothing(verb: str, body: object, world: World) -> None:
    made = world.start()
    answer = call(token("devops-engineer"), "POST", f"executions/{made.pk}/{verb}", body)
    assert answer.status_code in {400, 422}, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    made.refresh_from_db()
    assert (made.state, made.seq) == ("queued", 1)


@pytest.mark.parametrize("verb", ["cancel", "steps/hello/retry", "give-up"])
def test_unknown_and_forbidden_are_the_same(verb: str, world: World) -> None:
    made, text = world.start(), token("outsider")
    nothing = "019ab000-0000-7000-8000-000000000000"
    answers = [call(text, "POST", f"executions/{pk}/{verb}", {}) for pk in (made.pk, nothing, "x")]
    assert {a.status_code for a in answers} == {404}
    assert len({a.content for a in answers}) == 1


def test_who_reads_again_what_has_not_changed_is_told_so(world: World) -> None:
    path, text = f"executions/{world.start().pk}", token("developer")
    first = call(text, "GET", path)
    assert first["Cache-Control"] == "private, no-cache"
    again = call(text, "GET", path, headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    Execution.objects.update(outcome="other")
    assert call(text, "GET", path, headers={"if-none-match": first["ETag"]}).status_code == 200
