"""Who comes second reads what happened under its own title, and what they wrote is not lost."""

import pytest

from cvdops.approvals import services as approvals
from cvdops.approvals.models import ApprovalRequest
from tests.executions.scene import Scene
from tests.live.test_pages import FAILS, GATE, as_person
from tests.web.world import nonce

WORDS = "It hung since 02:06 <b>and more</b>"
SHOWN = "It hung since 02:06 &lt;b&gt;and more&lt;/b&gt;"


def refused(scene: Scene, **headers: str) -> str:
    """The answer to a skip of a step that somebody else has skipped before."""
    scene.runbook(FAILS)
    execution = scene.run()
    client = as_person(scene, "operations-lead")
    url = f"/executions/{execution.pk}/steps/fail/skip/"
    assert client.post(url, {"comment": "first"}).status_code == 302
    answer = client.post(url, {"comment": WORDS}, headers=headers)
    assert answer.status_code == 409
    return answer.content.decode()


def test_the_page_shows_again_what_was_written_and_leads_back(scene: Scene) -> None:
    html = refused(scene, Referer="http://testserver/executions/1/?step=fail")
    assert "<h1>It has moved on</h1>" in html and SHOWN in html
    assert 'href="http://testserver/executions/1/?step=fail"' in html


def test_it_does_not_lead_back_to_another_site(scene: Scene) -> None:
    assert "evil" not in refused(scene, Referer="https://evil.example.org/")


def test_the_notice_on_the_open_page_has_it_too(scene: Scene) -> None:
    html = refused(scene, **{"HX-Request": "true"})
    assert "<h1>" not in html and SHOWN in html


def test_the_title_says_what_stands_against_it(scene: Scene) -> None:
    scene.runbook(FAILS)
    execution = scene.run()
    answer = as_person(scene, "devops-engineer").post(f"/executions/{execution.pk}/roll-back/")
    assert answer.status_code == 409
    assert "<h1>There is nothing to roll back</h1>" in answer.content.decode()


@pytest.fixture
def asked(scene: Scene) -> ApprovalRequest:
    scene.runbook(GATE + FAILS)
    return scene.gate(scene.run())


def decide(scene: Scene, asked: ApprovalRequest, digest: str) -> str:
    manager = as_person(scene, "operations-manager")
    mark = nonce(manager.get(f"/approvals/{asked.pk}/").content.decode())
    form = {"verdict": "reject", "comment": WORDS, "plan_digest": digest, "nonce": mark}
    answer = manager.post(f"/approvals/{asked.pk}/decide/", form)
    assert answer.status_code == 409
    return answer.content.decode()


def test_a_comment_on_what_is_another_plan_stays_in_the_form(
    scene: Scene, asked: ApprovalRequest
) -> None:
    html = decide(scene, asked, "0" * 64)
    assert "That is not what would run." in html and f">{SHOWN}</textarea>" in html


def test_a_comment_that_came_too_late_is_shown_again(scene: Scene, asked: ApprovalRequest) -> None:
    approvals.void(asked.execution_id)
    html = decide(scene, asked, asked.plan_digest)
    assert "It was settled already." in html and SHOWN in html and "<textarea" not in html


def test_a_reason_to_go_on_stays_in_the_form(scene: Scene) -> None:
    scene.runbook(FAILS)
    execution = scene.run()
    execution.steps.update(unconfirmed=True)
    form = {"step": str(execution.steps.get().pk), "comment": WORDS}
    answer = as_person(scene, "operations-lead").post(f"/executions/{execution.pk}/go-on/", form)
    assert answer.status_code == 409
    assert f">{SHOWN}</textarea>" in answer.content.decode()


def test_nobody_is_blamed_for_what_has_ended_by_itself(scene: Scene) -> None:
    scene.runbook(GATE + "#### Say\n```bash {#say}\ntrue\n```\n")
    execution = scene.run()
    scene.approve(execution)
    assert scene.advance(execution).state == "succeeded"
    answer = as_person(scene, "devops-engineer").post(f"/executions/{execution.pk}/cancel/")
    assert answer.status_code == 409
    assert "has succeeded." in answer.content.decode() and b"was first" not in answer.content
