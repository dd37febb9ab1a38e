"""Accounts: opened and closed by administrators, never removed."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from cvdops.access import tokens
from cvdops.access.certification import Stage
from cvdops.access.models import RoleGrant
from cvdops.access.policy import standing_of
from cvdops.accounts.models import Session, Token, User
from cvdops.approvals.seed import seed_policies
from cvdops.audit.models import AuditEntry
from cvdops.changes import accounts
from cvdops.lib.errors import Conflict, Invalid, NotFound, Refused
from tests.cast import person
from tests.web.world import World

pytestmark = pytest.mark.django_db


def test_a_new_person_logs_in_with_the_password_that_is_shown_once(world: World) -> None:
    sent = {"username": "nina", "name": "Nina New", "email": "nina@example.com"}
    page = world.client("admin").post("/people/add/", sent).content.decode()
    password = page.partition('class="cmd">')[2].partition("<")[0]
    client = Client()
    assert client.post("/login/", {"username": "nina", "password": password}).status_code == 302
    assert client.get("/")["Location"] == "/account/password/"
    again = world.client("admin").get("/people/nina/").content.decode()
    assert password not in again and "First login to come" in again


@pytest.mark.parametrize("username", ["admin", "Nina", "a b", "", "-nina"])
def test_a_user_name_that_cannot_be_is_refused(world: World, username: str) -> None:
    sent = {"username": username, "name": "Nina"}
    assert world.client("admin").post("/people/add/", sent).status_code == 422


def test_two_accounts_of_one_human_are_one_person(world: World) -> None:
    by, first = person("admin"), person("developer")
    user, _ = accounts.open_account(by, "dev-2", "Dev", same_as="developer")
    assert user.person == first.person
    with pytest.raises(Invalid):
        accounts.open_account(by, "dev-3", "Dev", same_as="nobody")


def test_closing_ends_sessions_and_tokens_and_keeps_history(world: World) -> None:
    client, user = world.client("developer"), person("developer")
    tokens.make(user, "x", ["read"], 7)
    sent = {"reason": "left the company"}
    assert world.client("admin").post("/people/developer/close/", sent).status_code == 302
    assert client.get("/").status_code == 302
    assert not Session.objects.filter(user=user).exists()
    assert Token.objects.get().revoked_at is not None
    entry = AuditEntry.objects.get(action="account.close")
    assert (entry.subject_id, entry.data["reason"]) == ("developer", "left the company")
    assert "Closed" in world.client("admin").get("/people/").content.decode()


def test_closing_needs_a_reason(world: World) -> None:
    person("developer")
    answer = world.client("admin").post("/people/developer/close/", {"reason": " "})
    assert answer.status_code == 422
    assert User.objects.get(username="developer").is_active


def test_nobody_closes_themselves_by_any_account(world: World) -> None:
    person("admin", "other-admin")
    User.objects.filter(username="other-admin").update(person=person("admin").person)
    for name in ("admin", "other-admin"):
        with pytest.raises(Conflict, match="This is you"):
            accounts.close(person("admin"), name, "so")


@pytest.mark.parametrize(
    ("role", "word"), [("admin", "administrator"), ("operations-lead", "Operations Lead")]
)
def test_the_last_one_of_those_who_are_needed_stays(world: World, role: str, word: str) -> None:
    by = person("admin", "second")
    last = person(role)
    RoleGrant.objects.filter(role=role).exclude(user__in=[last, by]).delete()
    if role == "admin":
        RoleGrant.objects.filter(user=by).update(environment="staging")
        by = person("admin", "third")
        RoleGrant.objects.filter(user=by).update(ends_at="2999-01-01T00:00Z")
    with pytest.raises(Conflict, match=f"last {word}"):
        accounts.close(by, last.username, "so")


def test_only_administrators_manage_accounts(world: World) -> None:
    for verb in (
        lambda by: accounts.open_account(by, "nina", "Nina"),
        lambda by: accounts.close(by, "developer", "so"),
        lambda by: accounts.reopen(by, "developer", "so"),
        lambda by: accounts.new_password(by, "developer"),
        lambda by: accounts.log_out(by, "developer"),
    ):
        with pytest.raises(Refused):
            verb(person("operations-lead"))


def test_an_account_that_is_opened_again_gets_a_new_password(world: World) -> None:
    by = person("admin")
    accounts.close(by, person("developer").username, "on leave")
    password = accounts.reopen(by, "developer", "is back")
    user = User.objects.get(username="developer")
    assert user.is_active and user.password_given and user.check_password(password)


def test_a_new_password_logs_out(world: World) -> None:
    client = world.client("developer")
    assert world.client("admin").post("/people/developer/password/").status_code == 200
    assert client.get("/").status_code == 302
    with pytest.raises(Conflict, match="This is you"):
        accounts.new_password(person("admin"), "admin")


def test_an_account_that_is_not_there(world: World) -> None:
    with pytest.raises(NotFound):
        accounts.named(person("admin"), "nobody")
    assert world.client("admin").get("/people/nobody/").status_code == 404


def command(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=StringIO())
    return out.getvalue().strip()


def test_the_first_person_of_an_installation_comes_from_the_command_line(client: Client) -> None:
    said = command("person", "ada", "--name", "Ada", "--role", "admin")
    password = said.rpartition(" ")[2]
    client.post("/login/", {"username": "ada", "password": password})
    assert client.get("/account/password/").status_code == 200
    assert RoleGrant.objects.get(user__username="ada").role_id == "admin"
    assert AuditEntry.objects.filter(actor=None, action="account.open").exists()


def test_the_first_lead_comes_certified_and_others_do_not() -> None:
    command("person", "olivia", "--role", "operations-lead")
    command("person", "dana", "--role", "devops-engineer")
    people = User.objects.in_bulk(["olivia", "dana"], field_name="username")
    assert standing_of(people["olivia"]).certificate.stage is Stage.CERTIFIED
    assert standing_of(people["dana"]).certificate.stage is Stage.SHADOW


def test_the_command_says_what_it_cannot_do(db: None) -> None:
    for wrong in (["Ada"], ["ada", "--role", "king"], ["nobody", "--new-password"]):
        with pytest.raises(CommandError) as error:
            command("person", *wrong)
        assert error.value.returncode == 2
    assert not User.objects.exists()


def test_the_command_makes_a_token(db: None) -> None:
    user = person("outsider")
    text = command("token", "outsider", "--name", "ci", "--expires", "7d")
    found = tokens.bearer(f"Bearer {text}")
    assert found and (found.user, found.scopes) == (user, {"read", "run"})
    with pytest.raises(CommandError, match="no open account"):
        command("token", "nobody", "--name", "ci")


def test_the_list_says_where_and_how_long_a_role_is_held(world: World) -> None:
    grant = RoleGrant.objects.get(user=person("developer"))
    RoleGrant.objects.filter(pk=grant.pk).update(
        environment="development", ends_at=timezone.now() + timedelta(days=1)
    )
    page = world.client("admin").get("/people/").content.decode()
    assert "Developer in <code>development</code>" in page
    assert "until <time" in page


def test_closing_says_what_nobody_could_approve_then(world: World) -> None:
    seed_policies()
    for role in ("operations-manager", "operations-lead"):
        person(role)
    page = world.client("admin").get(f"/people/{person('security-admin').username}/")
    assert "Nobody could ever meet it: 1 of security-admin" in page.content.decode()
