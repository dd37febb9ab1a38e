"""The pages on which permissions are changed: the matrix, people's roles, proposals."""

import re

import pytest
from django.test import Client

from cvdops.access.levels import Level
from cvdops.access.models import MatrixCell, RoleGrant
from cvdops.accounts.models import Session
from cvdops.changes.models import Change
from tests.cast import person
from tests.web.world import World

CHOSEN = {"developer/security": "review-execute", "system-admin/incidents": "assist-assist"}


@pytest.fixture
def admin(world: World) -> Client:
    for role in ("developer", "operations-lead", "devops-engineer"):
        person(role)
    return world.client("admin")


def text(answer: object) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", answer.content.decode()))  # type: ignore[attr-defined]


def test_a_choice_shows_who_gains_what_and_changes_nothing(admin: Client) -> None:
    answer = admin.get("/permissions/matrix/", CHOSEN)
    assert "Developer gains on security: starts, pauses" in text(answer)
    assert "(Review → Execute)" in text(answer)
    assert "System Admin on" not in text(answer)  # chosen as it is
    assert not Change.objects.exists()


def test_htmx_gets_the_preview_alone(admin: Client) -> None:
    answer = admin.get("/permissions/matrix/", CHOSEN, headers={"hx-request": "true"})
    assert answer.content.strip().startswith(b"<form")
    assert b"<select" not in answer.content


def test_what_was_chosen_is_proposed_with_its_reason(admin: Client) -> None:
    answer = admin.post("/permissions/matrix/", {**CHOSEN, "reason": "Audits."}, follow=True)
    change = Change.objects.get()
    assert (change.key, change.after, change.reason) == (
        "developer/security",
        {"level": "execute"},
        "Audits.",
    )
    assert "Nothing is different before a second person confirms it." in text(answer)


def test_several_cells_are_proposed_together_or_not_at_all(admin: Client) -> None:
    own = {"admin/security": "review-lead"}
    answer = admin.post("/permissions/matrix/", {**CHOSEN, **own, "reason": "so"})
    assert (answer.status_code, Change.objects.count()) == (403, 0)


def test_two_editors_of_one_cell_conflict_and_what_was_typed_is_kept(
    world: World, admin: Client
) -> None:
    page = admin.get("/permissions/matrix/", CHOSEN)
    assert 'value="review-execute"' in page.content.decode()
    change = world.change()
    world.client("operations-lead").post(f"/permissions/changes/{change}/confirm/")
    answer = admin.post("/permissions/matrix/", {**CHOSEN, "reason": "Audits."})
    assert answer.status_code == 409
    assert "Admin has changed Developer on security since" in text(answer)
    assert "It is Assist by now." in text(answer)
    assert "Audits." in text(answer)


@pytest.mark.parametrize(
    "extra",
    [
        {"state": "applied"},
        {"decided_by": "1"},
        {"emperor/security": "none-lead"},
        {"developer/gardening": "none-lead"},
        {"developer/performance": "assist-emperor"},
        {"developer/performance": "lead"},
    ],
)
def test_other_fields_have_no_effect(admin: Client, extra: dict[str, str]) -> None:
    admin.post("/permissions/matrix/", {**CHOSEN, **extra, "reason": "so"})
    change = Change.objects.get()
    assert (change.key, change.state, change.decided_by) == ("developer/security", "proposed", None)


def test_nothing_chosen_is_nothing_proposed(admin: Client) -> None:
    answer = admin.post("/permissions/matrix/", {"reason": "so"})
    assert (answer.status_code, Change.objects.count()) == (422, 0)


def test_whoever_edits_is_asked_for_the_password(admin: Client) -> None:
    Session.objects.update(proved_at=None)
    answer = admin.post("/permissions/matrix/", {**CHOSEN, "reason": "so"})
    assert (answer.status_code, Change.objects.count()) == (403, 0)
    assert b"Is it you?" in answer.content


def test_the_row_of_ones_own_role_cannot_be_chosen(admin: Client) -> None:
    page = admin.get("/permissions/matrix/").content.decode()
    assert 'name="developer/security"' in page
    assert 'name="admin/security"' not in page
    assert "Nobody changes the row of a role that they hold." in page


def test_a_proposal_shows_what_it_means_and_is_confirmed(world: World, admin: Client) -> None:
    address = f"/permissions/changes/{world.change()}/"
    lead = world.client("operations-lead")
    page = text(lead.get(address))
    assert "Developer gains on security" in page
    lead.post(f"{address}confirm/", {"comment": "Agreed."})
    assert MatrixCell.objects.get(role="developer", category="security").level == Level.ASSIST
    assert "Agreed." in text(lead.get(address))


def test_its_proposer_reads_why_somebody_else_confirms(world: World, admin: Client) -> None:
    page = admin.get(f"/permissions/changes/{world.change()}/").content.decode()
    assert "You proposed this: somebody else has to confirm it." in page
    assert "Withdraw it" in page
    assert 'aria-describedby="why-not"' in page


def test_a_refusal_without_a_word_is_asked_for_one(world: World, admin: Client) -> None:
    address = f"/permissions/changes/{world.change()}/"
    answer = world.client("operations-lead").post(f"{address}refuse/", {"comment": ""})
    assert (answer.status_code, Change.objects.get().state) == (422, "proposed")


def test_a_cell_keeps_its_history(world: World, admin: Client) -> None:
    world.client("operations-lead").post(f"/permissions/changes/{world.change()}/confirm/")
    page = text(world.client("developer").get("/permissions/history/matrix/developer/security/"))
    assert "Review → Assist" in page
    assert "They help." in page


@pytest.mark.parametrize("address", ["matrix/developer/gardening", "grant/x/y", "root/x"])
def test_of_what_does_not_exist_there_is_no_history(admin: Client, address: str) -> None:
    assert admin.get(f"/permissions/history/{address}/").status_code == 404


ROLES = "/permissions/people/developer/"


def test_giving_a_role_is_shown_before_it_is_done(admin: Client) -> None:
    query = {"role": "system-admin", "environment": "staging", "until": "2090-01-01T00:00"}
    page = text(admin.get(ROLES, query))
    assert "not held → held until 2090-01-01 00:00 UTC" in page
    assert "gains on deployment in staging" in page
    assert RoleGrant.objects.filter(user__username="developer").count() == 1


def offered(client: Client, query: dict[str, str]) -> dict[str, str]:
    """The form that the page offers, as a browser would send it."""
    page = client.get(ROLES, query).content.decode()
    form = page[page.index('id="offer"') :]
    form = form[: form.index("</form>")]
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form)) | {"reason": "on call"}


def test_a_role_that_does_not_count_in_production_is_given_at_once(admin: Client) -> None:
    form = offered(admin, {"role": "system-admin", "environment": "staging"})
    admin.post(f"{ROLES}roles/", form)
    assert RoleGrant.objects.filter(user__username="developer", environment="staging").exists()


def test_one_that_does_leads_to_its_proposal(admin: Client) -> None:
    form = offered(admin, {"role": "system-admin"})
    answer = admin.post(f"{ROLES}roles/", form, follow=True)
    assert answer.redirect_chain[-1][0] == f"/permissions/changes/{Change.objects.get().pk}/"
    assert "Waits for a second person" in text(answer)


def test_a_role_is_ended(admin: Client) -> None:
    admin.post(f"{ROLES}roles/", offered(admin, {"role": "developer", "end": "yes"}))
    assert not RoleGrant.objects.in_force().filter(user__username="developer").exists()


def test_a_form_that_is_too_old_is_a_conflict(admin: Client) -> None:
    old = offered(admin, {"role": "system-admin", "environment": "staging"})
    admin.post(f"{ROLES}roles/", old)
    answer = admin.post(f"{ROLES}roles/", {**old, "until": "2090-01-01T00:00"})
    assert answer.status_code == 409
    assert "has changed System Admin of Developer in staging since" in text(answer)


def test_ones_own_roles_are_not_offered_and_the_last_lead_stays(
    world: World, admin: Client
) -> None:
    page = text(admin.get("/permissions/people/admin/", {"role": "developer"}))
    assert "This is about your own rights" in page
    last = {"role": "operations-lead", "end": "yes"}
    page = text(admin.get("/permissions/people/operations-lead/", last))
    assert "This is the last Operations Lead" in page


@pytest.mark.parametrize("until", ["yesterday", "2090-99-99T00:00", "2001-01-01T00:00"])
def test_times_that_make_no_sense_are_named(admin: Client, until: str) -> None:
    query = {"role": "system-admin", "environment": "staging", "until": until}
    assert "do it now" not in text(admin.get(ROLES, query)).lower()


@pytest.mark.parametrize(
    "query", [{"role": "emperor"}, {"role": "developer", "environment": "moon"}]
)
def test_a_role_that_does_not_exist_is_not_found(admin: Client, query: dict[str, str]) -> None:
    assert admin.get(ROLES, query).status_code == 404


def test_who_may_not_edit_reads_why(world: World, admin: Client) -> None:
    page = text(world.client("developer").get(ROLES))
    assert "Changing permissions is for administrators and Operations Leads." in page


@pytest.mark.parametrize(
    "chosen",
    [{"admin/security": "review-lead"}, {"operations-lead/security": "lead-review"}],
)
def test_what_would_be_refused_has_no_button(admin: Client, chosen: dict[str, str]) -> None:
    page = admin.get("/permissions/matrix/", {**CHOSEN, **chosen}).content.decode()
    assert "nobody changes those" in page or "Nobody would lead" in page
    assert "Propose</button>" not in page
    assert "Propose</button>" in admin.get("/permissions/matrix/", CHOSEN).content.decode()
