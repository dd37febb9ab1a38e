"""S11 and the rows of S5 that are about tokens: what a token opens, and that its text is in no log."""

import json
import logging
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from cvdops.access import tokens
from cvdops.accounts.models import Token
from cvdops.approvals.models import ApprovalRequest, Decision
from cvdops.audit.models import AuditEntry
from tests.api.calls import ROOT, call, token
from tests.cast import person
from tests.web.world import World


def test_a_token_shows_who_asks(world: World) -> None:
    assert call(token("developer"), "GET", "runbooks").status_code == 200


def test_nobody_is_told_how_to_show_who_they_are(world: World) -> None:
    answer = call("", "GET", "runbooks")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "login"


def expired(text: str) -> None:
    Token.objects.update(expires_at=Now())


def revoked(text: str) -> None:
    found = Token.objects.get()
    tokens.revoke(found.user, found.pk)


def deactivated(text: str) -> None:
    user = person("operations-manager")
    user.is_active = False
    user.save()


@pytest.mark.parametrize("end", [expired, revoked, deactivated])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_token_that_has_ended_opens_nothing(end: object, method: str, world: World) -> None:
    text, request = token("operations-manager"), world.request()
    assert callable(end)
    end(text)
    path = "approvals" if method == "GET" else f"approvals/{request}/decide"
    answer = call(text, method, path, approve())
    assert (answer.status_code, answer.json()["code"]) == (401, "token")
    assert not Decision.objects.exists()


@pytest.mark.parametrize("end", [expired, revoked, deactivated])
def test_the_log_hears_of_a_token_that_has_ended_once_an_hour(end: Any, world: World) -> None:
    text = token("operations-manager")
    end(text)
    for _ in range(3):
        call(text, "GET", "runbooks")
        call("", "GET", "runbooks", token=text)
    (entry,) = AuditEntry.objects.filter(action="token.use")
    assert (entry.actor, entry.allowed) == (person("operations-manager"), False)
    assert entry.data["reasons"] == [end.__name__]
    Token.objects.update(told_at=Now() - tokens.TOLD)
    call(text, "GET", "runbooks")
    assert AuditEntry.objects.filter(action="token.use").count() == 2


def test_the_log_hears_of_a_token_in_an_address_and_of_none_that_never_was(world: World) -> None:
    call("cvdops_" + "x" * 43, "GET", "runbooks")
    assert not AuditEntry.objects.filter(action="token.use").exists()
    call("", "GET", "runbooks", token=token("developer"))
    assert AuditEntry.objects.get(action="token.use").data["reasons"] == ["in_address"]


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "Basic YTpi", "", "bearer cvdops_short"])
def test_a_header_that_is_no_token_opens_nothing(header: str, world: World) -> None:
    """Also where the browser is logged in: a program that shows a wrong token means that one."""
    client = world.client("admin")
    answer = client.get(f"{ROOT}runbooks", headers={"authorization": header})
    assert answer.status_code == 401


def test_a_token_in_the_address_is_refused(world: World) -> None:
    text = token("operations-lead")
    for name in ("token", "access_token", "q"):
        answer = call("", "GET", "executions", **{name: text})
        assert (answer.status_code, answer.json()["code"]) == (401, "token_in_address")
        assert text not in answer.content.decode()
    answer = call("", "GET", f"runbooks/{text}")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_in_address")


@pytest.mark.parametrize("scopes", [("read",), ("run",), ("read", "run")])
def test_without_its_scope_nothing_is_approved(scopes: tuple[str, ...], world: World) -> None:
    text, request = token("operations-manager", *scopes), world.request()
    answer = call(text, "POST", f"approvals/{request}/decide", approve())
    assert (answer.status_code, answer.json()["code"]) == (403, "refused")
    assert [reason["code"] for reason in answer.json()["reasons"]] == ["scope"]
    assert answer.json()["reasons"][0]["remedy"]
    assert not Decision.objects.exists()
    entry = AuditEntry.objects.get(allowed=False)
    assert (entry.actor, entry.action) == (person("operations-manager"), "approval.decide")
    assert entry.data["token"] == Token.objects.get().pk


def test_who_may_only_approve_reads_nothing(world: World) -> None:
    assert call(token("cto", "approve"), "GET", "audit").status_code == 403


@pytest.mark.parametrize(
    "role",
    ["devops-engineer", "developer", "system-admin", "admin", "auditor", "operations-lead"],
)
def test_a_token_gives_no_right_that_its_person_lacks(role: str, world: World) -> None:
    """The first of them asked for it."""
    request = world.request()
    answer = call(token(role), "POST", f"approvals/{request}/decide", approve())
    assert answer.status_code == 403
    assert answer.json()["reasons"]
    assert not Decision.objects.exists()


def test_ones_own_request_is_not_approved_with_the_right_role_either(world: World) -> None:
    ApprovalRequest.objects.filter(pk=world.request()).update(
        requested_by=person("operations-manager")
    )
    request = ApprovalRequest.objects.get()
    answer = call(token("operations-manager"), "POST", f"approvals/{request.pk}/decide", approve())
    assert answer.status_code == 403
    assert not Decision.objects.exists()


@pytest.mark.parametrize("address", ["/", "/runbooks/", "/audit/", "/account/"])
def test_a_token_opens_no_page(address: str, world: World) -> None:
    headers = {"authorization": f"Bearer {token('operations-lead')}"}
    assert Client().get(address, headers=headers).status_code == 302


def test_whose_password_somebody_else_gave_changes_it_first(world: World) -> None:
    text, user = token("developer"), person("developer")
    user.password_given = True
    user.save()
    answer = call(text, "GET", "runbooks")
    assert (answer.status_code, answer.json()["reasons"][0]["code"]) == (403, "password")


def test_the_text_of_a_token_is_in_no_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    text, request = token("operations-manager"), world.request()
    reader = token("operations-manager", "read")
    call(reader, "POST", f"approvals/{request}/decide", approve())
    call(reader, "GET", "nothing")
    call(text, "POST", f"approvals/{request}/decide", approve())
    call("", "GET", "audit", token=text)
    Token.objects.update(revoked_at=Now())
    call(text, "GET", "audit")
    written = caplog.text + json.dumps(
        [[e.action, e.subject, e.subject_id, e.data] for e in AuditEntry.objects.all()]
    )
    assert "approval.decide" in written
    assert text not in written
    assert reader not in written


def test_a_session_needs_the_mark_of_a_form_to_change_something(world: World) -> None:
    request, client = world.request(), Client(enforce_csrf_checks=True)
    client.force_login(person("operations-manager"))
    address = f"{ROOT}approvals/{request}/decide"
    answer = client.post(address, approve(), content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    client.get("/account/")
    headers = {"x-csrftoken": client.cookies["csrftoken"].value}
    answer = client.post(address, approve(), content_type="application/json", headers=headers)
    assert answer.status_code == 200


def approve() -> dict[str, str]:
    request = ApprovalRequest.objects.first()
    return {"decision": "approve", "plan_digest": request.plan_digest if request else "x"}
