"""Choosing where an execution goes on, or how far it is rolled back; and what it waits for."""

from datetime import timedelta

from django.db.models.functions import Now
from django.test import Client

from cvdops.executions.models import Execution, StepRun
from tests.executions.scene import Scene
from tests.executions.test_children import child, child_block
from tests.executions.test_engine import block
from tests.live.test_pages import as_person, page

CHANGES = block("one", "true", "destructive rollback=undo-one") + block(
    "two", "true", "destructive rollback=undo-two"
)
UNDO = block("undo-one", "true") + block("undo-two", "true")


def stuck(scene: Scene) -> Execution:
    """Two steps have changed something, the third one failed."""
    scene.runbook(CHANGES + block("three", "false"), rollback=UNDO)
    return scene.run()


def go_on(client: Client, execution: Execution, step: str) -> str:
    answer = client.get(f"/executions/{execution.pk}/go-on/?step={step}")
    return answer.content.decode()


def test_the_page_offers_to_go_on_from_a_step(scene: Scene) -> None:
    execution = stuck(scene)
    html = page(as_person(scene, "devops-engineer"), execution, "?step=one")
    assert f'href="/executions/{execution.pk}/go-on/"' in html
    assert f"/executions/{execution.pk}/go-on/?step=one" in html


def test_the_plan_says_what_becomes_of_each_step(scene: Scene) -> None:
    html = go_on(as_person(scene, "operations-lead"), stuck(scene), "two")
    assert "1 step before it stays as it is" in html
    assert html.count("runs again") == 3  # with the sentence above


def test_who_may_not_repeat_a_step_reads_why(scene: Scene) -> None:
    html = go_on(as_person(scene, "devops-engineer"), stuck(scene), "two")
    assert "This needs Lead on deployment" in html and "disabled" in html


def test_going_on_needs_a_reason_and_then_goes_on(scene: Scene) -> None:
    execution, client = stuck(scene), as_person(scene, "operations-lead")
    url = f"/executions/{execution.pk}/go-on/"
    refused = client.post(url, {"step": "two", "comment": " "})
    assert refused.status_code == 422 and "Say why you go on" in refused.content.decode()
    assert client.post(url, {"step": "two", "comment": "mended"}).status_code == 302
    assert scene.states(scene.advance(execution)) == {
        "one": "succeeded",
        "two": "succeeded",
        "three": "failed",
    }
    assert execution.steps.get(key="one").attempt_count == 1
    assert execution.steps.get(key="two").attempt_count == 2


def test_it_is_rolled_back_down_to_a_step(scene: Scene) -> None:
    execution, client = stuck(scene), as_person(scene, "devops-engineer")
    html = client.get(f"/executions/{execution.pk}/undo/?down_to=two").content.decode()
    done, left = html.split("What stays in place")
    assert "undoes two" in done and "undoes one" not in done and "one" in left
    client.post(f"/executions/{execution.pk}/roll-back/", {"down_to": "two"})
    scene.advance(execution)
    assert execution.outcome == "Rolled back in part. Still in place: one."


def test_what_was_left_in_place_can_be_rolled_back_later(scene: Scene) -> None:
    execution, client = stuck(scene), as_person(scene, "devops-engineer")
    url = f"/executions/{execution.pk}/"
    client.post(f"{url}roll-back/", {"down_to": "two"})
    scene.advance(execution)
    assert (execution.look.label, execution.look.tone) == ("Rolled back in part", "wait")
    html = client.get(f"{url}undo/").content.decode()
    assert "undoes one" in html and "Roll back everything" in html
    client.post(f"{url}roll-back/", {"down_to": ""})
    assert scene.advance(execution).state == "rolled_back"
    assert (execution.outcome, execution.look.label) == ("", "Rolled back")
    assert execution.steps.get(key="undo-two").attempt_count == 1
    assert client.post(f"{url}roll-back/", {"down_to": ""}).status_code == 409


def test_a_stop_that_nobody_saw_is_red_and_can_only_be_settled(scene: Scene) -> None:
    execution = stuck(scene)
    waiting = {"code": "unconfirmed", "text": "Cancel not confirmed on here", "step": "three"}
    Execution.objects.filter(pk=execution.pk).update(waiting_for=waiting)
    StepRun.objects.filter(execution=execution, key="three").update(unconfirmed=True)
    client = as_person(scene, "operations-lead")
    html = page(client, execution)
    assert 'class="exec-line tone-bad"' in html and "Settle" in html
    for verb in ("retry", "skip", "go-on", "roll-back"):
        assert f"/{verb}/" not in html.split('id="desk"')[1].split('id="panel"')[0]
    given = {"step": "one", "comment": "x"}
    for url in ("go-on", "roll-back"):
        answer = client.post(f"/executions/{execution.pk}/{url}/", given)
        assert answer.status_code == 409 and b"may still be running" in answer.content


def test_who_holds_the_lock_and_who_is_in_line_is_seen(scene: Scene) -> None:
    scene.runbook(block("one", "true") + "#### Ask\n- [ ] All is well\n", extra="locks: [main]\n")
    first, second = scene.run(), scene.run()
    html = page(as_person(scene, "developer"), second)
    assert f'held by <a href="/executions/{first.pk}/">execution #{first.number}</a>' in html
    assert f'In line for <code>main</code>: <a href="/executions/{second.pk}/">' in html


def test_the_runbook_that_it_waits_for_is_a_link(scene: Scene) -> None:
    scene.other("inner", block("in", "true"))
    scene.runbook(child_block())
    execution = scene.run()
    found = child(execution)
    html = page(as_person(scene, "developer"), execution)
    assert f'<a href="/executions/{found.pk}/">Trial #{found.number}</a>, which is queued' in html


def test_a_retry_says_when(scene: Scene) -> None:
    scene.runbook(block("one", "false", "retry=1 backoff=1m"))
    execution = scene.run()
    html = page(as_person(scene, "developer"), execution)
    assert "Trying again: one" in html and html.count("data-until") == 2


def test_lists_say_since_when_a_stop_is_not_confirmed(scene: Scene) -> None:
    execution = stuck(scene)
    waiting = {"code": "unconfirmed", "text": "Cancel not confirmed on here", "step": "three"}
    Execution.objects.filter(pk=execution.pk).update(waiting_for=waiting)
    asked = execution.steps.filter(key="three")
    asked.update(unconfirmed=True, finished_at=Now() - timedelta(hours=1, minutes=2))
    client = as_person(scene, "devops-engineer")
    for address in ("/", "/executions/"):
        assert "for 1 h 2 min" in client.get(address).content.decode()


def test_what_no_other_step_speaks_of_is_told_apart(scene: Scene) -> None:
    scene.runbook(
        block("one", "WHO=web; for round in a b; do true; done") + block("two", 'echo "$WHO"')
    )
    html = page(as_person(scene, "developer"), scene.run())
    shown, _, folded = html.partition("1 more value that no other step uses")
    assert "<code>WHO</code>" in shown and "<code>round</code>" not in shown
    assert "<code>round</code>" in folded


def test_lists_say_what_is_waited_for(scene: Scene) -> None:
    execution = stuck(scene)
    queued = scene.start()
    client = as_person(scene, "devops-engineer")
    for address in ("/", "/executions/"):
        html = client.get(address).content.decode()
        assert execution.waiting_for["text"].rstrip(".") in html
        assert f"No worker serves {queued.environment.queue}" in html
