"""The pages of executions and approvals, without any script."""

import re

import pytest
from django.db.models.functions import Now
from django.test import Client

from cvdops.approvals.models import ApprovalPolicy
from cvdops.executions import closing
from cvdops.executions.models import Execution
from cvdops.live import here
from tests.executions.scene import Scene
from tests.live.output import attempt, write
from tests.web.world import nonce

FAILS = "#### Fail\n```bash {#fail}\necho oops; false\n```\n"
GATE = "#### Gate\n```approval {#gate}\napprovers: [operations-manager]\n```\n"
DESTROYS = "#### Stop\n```bash {#stop destructive rollback=begin}\nfalse\n```\n"
BEGIN_AGAIN = "### Begin again\n```bash {#begin}\necho begun\n```\n"
BY_HAND = "#### Look\n- [ ] Nobody works\n- [ ] The log is quiet\n"


def as_person(scene: Scene, role: str) -> Client:
    client = Client()
    client.force_login(scene.person(role))
    return client


def page(client: Client, execution: Execution, query: str = "") -> str:
    response = client.get(f"/executions/{execution.pk}/{query}")
    assert response.status_code == 200
    return response.content.decode()


def test_the_page_shows_the_step_that_matters_with_its_output(scene: Scene) -> None:
    scene.runbook(FAILS)
    html = page(as_person(scene, "developer"), scene.run())
    assert '<li data-s="0">oops</li>' in html
    assert "It ended with exit code 1." in html


def test_output_cannot_act(scene: Scene, execution: Execution) -> None:
    write(execution, attempt(execution), 0, b"<script>alert(1)</script>\n")
    html = page(as_person(scene, "developer"), execution)
    assert "<script>alert" not in html and "&lt;script&gt;alert" in html


@pytest.mark.parametrize("address", ["", "snapshot/", "snapshot/?after=SEQ"])
def test_who_reads_without_a_stream_is_said_to_look(
    address: str, scene: Scene, execution: Execution
) -> None:
    seq = Execution.objects.get(pk=execution.pk).seq
    as_person(scene, "developer").get(
        f"/executions/{execution.pk}/{address.replace('SEQ', str(seq))}"
    )
    name = scene.person("developer").name
    assert here.watching(execution.pk) == (name,)
    html = page(as_person(scene, "operations-manager"), execution)
    assert name in html.partition("Looking at it now: ")[2].partition("</p>")[0]


def test_nobody_is_said_to_look_at_what_is_over(scene: Scene) -> None:
    scene.runbook(FAILS)
    execution = scene.run()
    Execution.objects.filter(pk=execution.pk).update(
        state="failed", finished_at=Now(), waiting_for={}
    )
    page(as_person(scene, "developer"), execution)
    assert here.watching(execution.pk) == ()


def test_a_pinned_step_is_shown_instead(scene: Scene, execution: Execution) -> None:
    html = page(as_person(scene, "developer"), execution, "?step=second")
    assert "Follow the execution" in html and "echo two" in html


def test_who_may_not_press_a_button_reads_why(scene: Scene) -> None:
    scene.runbook(FAILS)
    html = page(as_person(scene, "developer"), scene.run())
    assert "/retry/" not in html
    assert "This needs Execute on deployment" in html


def test_a_button_works_and_a_second_press_is_told_so(scene: Scene) -> None:
    scene.runbook(FAILS)
    execution = scene.run()
    client = as_person(scene, "devops-engineer")
    url = f"/executions/{execution.pk}/steps/fail/retry/"
    assert client.post(url).url == f"/executions/{execution.pk}/"
    second = client.post(url)
    assert second.status_code == 409 and b"was first" in second.content


def test_a_skip_needs_a_reason(scene: Scene) -> None:
    scene.runbook(FAILS)
    url = f"/executions/{scene.run().pk}/steps/fail/skip/"
    response = as_person(scene, "operations-lead").post(url, {"comment": " "})
    assert response.status_code == 422 and b"Say why you skip" in response.content


def test_a_form_of_the_script_gets_what_is_left_to_do(scene: Scene) -> None:
    scene.runbook(BY_HAND)
    execution = scene.run()
    step = execution.steps.get()
    client = as_person(scene, "devops-engineer")
    url = f"/executions/{execution.pk}/steps/{step.pk}/confirm/"
    html = client.post(url, {"items": ["0"]}, headers={"HX-Request": "true"}).content.decode()
    assert 'id="desk"' in html and 'hx-swap-oob="true"' in html
    assert 'value="1"' in html and 'value="0"' not in html


@pytest.mark.parametrize("items", [["x"], ["-1"], ["9" * 9], []])
def test_items_that_are_none_are_refused(scene: Scene, items: list[str]) -> None:
    scene.runbook(BY_HAND)
    execution = scene.run()
    url = f"/executions/{execution.pk}/steps/{execution.steps.get().pk}/confirm/"
    response = as_person(scene, "devops-engineer").post(url, {"items": items})
    assert response.status_code == 422


def test_a_finished_execution_shows_what_is_left_to_close(scene: Scene) -> None:
    scene.runbook("#### Say\n```bash {#say}\necho hello\n```\n")
    execution = scene.run()
    client = as_person(scene, "devops-engineer")
    assert "A worker of development is listing what is left" in page(client, execution)
    closing.begin(execution.pk)
    html = page(client, execution)
    assert "1 of 6 done" in html and "verified by the portal: the log has 1 step" in html
    assert html.index('id="term"') < html.index("After the end") < html.index("What it does")
    assert "5 things are left to do before it is closed" in html.partition('id="term"')[0]
    client.post(f"/executions/{execution.pk}/after/4/", {"comment": "it was slow"})
    html = page(client, execution)
    assert "2 of 6 done" in html and "Devops-Engineer: it was slow" in html


def test_asking_how_an_environment_is_touches_no_half_typed_note(scene: Scene) -> None:
    scene.runbook("#### Say\n```bash {#say}\necho hello\n```\n")
    execution = scene.run()
    closing.begin(execution.pk)
    address = f"/executions/{execution.pk}/controls/"
    html = as_person(scene, "devops-engineer").get(address, {"only": "health"}).content.decode()
    assert html.startswith("<") and 'id="health"' in html
    assert "oob" not in html and "<form" not in html


def test_a_closed_execution_says_so_and_is_off_the_home_page(scene: Scene) -> None:
    scene.runbook("#### Say\n```bash {#say}\necho hello\n```\n")
    execution = scene.run()
    closing.begin(execution.pk)
    client = as_person(scene, "devops-engineer")
    assert "Close: Trial" in client.get("/").content.decode()
    assert "Close: Trial" not in as_person(scene, "operations-lead").get("/").content.decode()
    for position in (0, 2, 3, 4, 5):
        client.post(f"/executions/{execution.pk}/after/{position}/", {"comment": "quiet"})
    assert "Closed</span>" in page(client, execution)
    assert "Close: Trial" not in client.get("/").content.decode()


def test_output_is_downloaded_as_it_is(scene: Scene, execution: Execution) -> None:
    data = b"\x1b[31m<b>\xff\x00\r\n"
    write(execution, attempt(execution), 0, data)
    response = as_person(scene, "developer").get(f"/executions/{execution.pk}/steps/first/output/")
    assert response.content == data
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Content-Disposition"].startswith("attachment;")
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["steps/none/output/", "steps/first/output/?attempt=2", "x/"])
def test_what_is_not_there_is_not_found(scene: Scene, execution: Execution, path: str) -> None:
    client = as_person(scene, "developer")
    assert client.get(f"/executions/{execution.pk}/{path}").status_code == 404


def test_nothing_new_is_answered_with_nothing(scene: Scene, execution: Execution) -> None:
    client = as_person(scene, "developer")
    url = f"/executions/{execution.pk}/snapshot/"
    snapshot = client.get(url).json()
    assert client.get(url, {"after": snapshot["position"]}).status_code == 204


def test_the_approver_sees_what_will_run_and_decides(scene: Scene) -> None:
    scene.runbook(GATE + DESTROYS, "### Begin again\n```bash {#begin}\necho begun\n```\n")
    execution = scene.run()
    request = scene.gate(execution)
    client = as_person(scene, "operations-manager")
    html = client.get(f"/approvals/{request.pk}/").content.decode()
    assert "echo begun" in html and request.plan_digest in html
    form = {"verdict": "approve", "plan_digest": request.plan_digest, "nonce": nonce(html)}
    assert client.post(f"/approvals/{request.pk}/decide/", form).status_code == 302
    again = client.post(f"/approvals/{request.pk}/decide/", form)
    assert again.status_code == 409 and b"Operations-Manager" in again.content


def test_the_times_of_a_gate_go_on(scene: Scene) -> None:
    scene.runbook(GATE)
    execution = scene.run()
    html = page(as_person(scene, "operations-manager"), execution)
    assert re.search(r'asked <span class="num" data-since="[^"]+">[^<]+</span> ago', html)
    assert re.search(r'expires in <span class="num" data-until="[^"]+">[^<]+</span>', html)
    address = f"/approvals/{scene.gate(execution).pk}/"
    html = as_person(scene, "operations-manager").get(address).content.decode()
    assert re.search(r'expires in <span class="num" data-until="', html)


def test_the_approver_reads_whether_the_runbook_asks_or_a_policy(scene: Scene) -> None:
    client = as_person(scene, "operations-manager")

    def read() -> str:
        address = f"/approvals/{scene.gate(scene.run()).pk}/"
        return client.get(address).content.decode()

    scene.runbook(GATE.replace("approvers", "message: Look at the graphs.\napprovers"))
    assert 'Written in the runbook</h2></header><p class="pre-line">Look at the' in read()
    scene.runbook("#### Look\n```bash {#look}\ntrue\n```\n")
    groups = [{"approvers": ["operations-manager"], "required": 1}]
    ApprovalPolicy.objects.create(
        environment=scene.environment, category="", condition="always", groups=groups, expires=60
    )
    html = read()
    assert "The policy asks for it: development × every category, always (version 1)." in html
    assert "Written in the runbook" not in html


def test_the_approver_sees_what_has_run_already(scene: Scene) -> None:
    scene.runbook(
        "#### Look\n```bash {#look}\ntrue\n```\n"
        '#### Not here\n```bash {#not-here when="ENVIRONMENT == production"}\ntrue\n```\n'
        + GATE
        + DESTROYS,
        "### Begin again\n```bash {#begin}\necho begun\n```\n",
    )
    request = scene.gate(scene.run())
    html = as_person(scene, "operations-manager").get(f"/approvals/{request.pk}/").content.decode()
    plan = html.partition("Every command")[2]
    assert "What has run, and what will" in html
    looked, left_out, gate, stop = plan.split("<li")[1:5]
    assert "Succeeded" in looked and "Skipped" in left_out
    assert "you decide here" in gate and "Waiting" not in gate
    assert 'class="state' not in stop


def test_a_rejection_needs_a_comment_and_keeps_the_page(scene: Scene) -> None:
    scene.runbook(GATE)
    request = scene.gate(scene.run())
    client = as_person(scene, "operations-manager")
    mark = nonce(client.get(f"/approvals/{request.pk}/").content.decode())
    form = {"verdict": "reject", "plan_digest": request.plan_digest, "nonce": mark}
    response = client.post(f"/approvals/{request.pk}/decide/", form)
    assert response.status_code == 422 and b"Say why you reject it." in response.content


def test_a_step_that_has_written_nothing_has_no_files_to_fetch(scene: Scene) -> None:
    scene.runbook(GATE + BY_HAND)
    html = page(as_person(scene, "devops-engineer"), scene.run())
    assert not re.search(r'id="(raw|clean)"[^>]* href=', html)


def test_who_asked_gets_no_form(scene: Scene) -> None:
    scene.runbook(GATE)
    request = scene.gate(scene.run())
    html = as_person(scene, "devops-engineer").get(f"/approvals/{request.pk}/").content.decode()
    assert "decide/" not in html and "nobody approves what they have a part in" in html


def test_who_may_not_act_is_offered_no_way_to_a_page_without_effect(scene: Scene) -> None:
    scene.runbook("#### Set\n```bash {#set rollback=begin}\ntrue\n```\n" + FAILS, BEGIN_AGAIN)
    execution = scene.run()
    assert 'data-may="go-on roll-back"' in page(as_person(scene, "devops-engineer"), execution)
    assert 'data-may=""' in page(as_person(scene, "developer"), execution)


def test_what_is_open_with_a_form_is_not_written_twice(scene: Scene) -> None:
    scene.runbook(BY_HAND)
    execution = scene.run()
    url = f"/executions/{execution.pk}/steps/{execution.steps.get().pk}/confirm/"
    client, form = as_person(scene, "devops-engineer"), {"comment": "it rains"}
    assert b"it rains" in client.post(url, form).content
    notice = client.post(url, form, headers={"HX-Request": "true"})
    assert notice.status_code == 422 and b"it rains" not in notice.content


def test_the_undo_stack_says_what_it_is_for_or_is_not_there(scene: Scene) -> None:
    client = as_person(scene, "devops-engineer")
    scene.runbook("#### Set\n```bash {#set destructive rollback=begin}\ntrue\n```\n", BEGIN_AGAIN)
    execution = scene.run()
    assert "Undo stack" not in page(client, execution)  # it succeeded, and stays
    Execution.objects.filter(pk=execution.pk).update(state="failed")
    html = page(client, execution)
    assert "Undo stack" in html and "If it has to be taken back" in html


def test_keys_lead_to_the_next_and_the_previous_step(scene: Scene, execution: Execution) -> None:
    html = page(as_person(scene, "developer"), execution, "?step=first")
    assert (
        re.search(r'href="\?step=second#heading" data-keys="j"', html)
        and 'data-keys="k"' not in html
    )
    html = page(as_person(scene, "developer"), execution, "?step=second")
    assert (
        re.search(r'href="\?step=first#heading" data-keys="k"', html)
        and 'data-keys="j"' not in html
    )


def test_the_values_of_a_command_and_of_its_expected_output_are_told(scene: Scene) -> None:
    said = '#### Say\n```bash {#say}\necho "$NAME"\n```\n```output\nit is ${PLACE}\n```\n'
    scene.runbook(said, extra="variables: {NAME: {default: cvd}, PLACE: {default: here}}\n")
    html = page(as_person(scene, "developer"), scene.run(variables={}))
    assert 'it is <span class="v">${PLACE}</span>' in html
    for name, value in (("NAME", "cvd"), ("PLACE", "here")):
        assert f"<dt><code>{name}</code></dt><dd><code>{value}</code></dd>" in html
