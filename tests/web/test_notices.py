"""Notices, and asking for help."""

import pytest
from django.test import Client

from cvdops.audit.models import AuditEntry
from cvdops.notifications import services
from cvdops.notifications.models import Notice
from tests.cast import person
from tests.web.world import World

HELP = "/runbooks/deployment/help/"
ASKING = {"environment": "production", "note": "The kiosks in Oslo are down"}


@pytest.fixture
def developer(world: World, client: Client) -> Client:
    for role in ("operations-lead", "devops-engineer", "auditor"):
        person(role)
    client.force_login(person("developer"))
    return client


def asked() -> set[str]:
    return set(Notice.objects.values_list("user__username", flat=True))


def test_those_who_may_start_it_are_asked(developer: Client) -> None:
    page = developer.post(HELP, ASKING, follow=True)
    assert "Asked: " in page.content.decode()
    assert asked() == {"operations-lead", "devops-engineer"}
    assert "Oslo" in Notice.objects.latest("id").text
    assert AuditEntry.objects.get(action="help.ask").data["environment"] == "production"


def test_who_asks_again_at_once_is_told_so(developer: Client) -> None:
    developer.post(HELP, ASKING)
    assert developer.post(HELP, ASKING).status_code == 409
    assert Notice.objects.count() == 2


@pytest.mark.parametrize(
    "wrong", [{"note": ""}, {"note": "x" * 201}, {"environment": "moon"}], ids=str
)
def test_bad_input_is_refused(developer: Client, wrong: dict[str, str]) -> None:
    assert developer.post(HELP, {**ASKING, **wrong}).status_code == 422
    assert not Notice.objects.exists()


def test_a_refused_start_offers_to_ask(developer: Client) -> None:
    page = developer.get("/runbooks/deployment/run/?environment=production&procedure=greet")
    assert "Ask for help" in page.content.decode()


def test_a_notice_leads_to_its_page_and_is_read_then(developer: Client) -> None:
    user = person("developer")
    services.note([user], subject="a", key="a", text="Look", path="/runbooks/")
    notice = Notice.objects.get()
    assert developer.post(f"/notices/{notice.pk}/").headers["Location"] == "/runbooks/"
    notice.refresh_from_db()
    assert notice.read_at


def test_nobody_opens_a_notice_of_another(developer: Client) -> None:
    services.note([person("auditor")], subject="a", key="a", text="Look", path="/audit/")
    notice = Notice.objects.get()
    assert developer.post(f"/notices/{notice.pk}/").headers["Location"] == "/notices/"
    notice.refresh_from_db()
    assert notice.read_at is None


def test_home_shows_what_is_new(developer: Client) -> None:
    services.note([person("developer")], subject="a", key="a", text="Look here", path="/runbooks/")
    assert "Look here" in developer.get("/").content.decode()
    developer.post("/notices/read/")
    assert "Look here" not in developer.get("/").content.decode()
