"""Secrets, variables and the health endpoint on the page of an environment."""

import pytest
from django.db.models.functions import Now
from django.test import Client

from cvdops.accounts.models import Session
from cvdops.accounts.sessions import FRESH
from cvdops.environments.models import Environment, EnvironmentSecret
from tests.web.world import World

VALUE = "kept-from-everybody"
STAGING = "/environments/staging/"


@pytest.fixture
def lead(world: World) -> Client:
    return world.client("operations-lead")


def test_a_secret_is_set_and_never_shown(lead: Client) -> None:
    answer = lead.post(f"{STAGING}secret/", {"name": "API_TOKEN", "value": VALUE})
    assert answer.status_code == 302
    for address in (STAGING, f"{STAGING}secret/?name=API_TOKEN", "/audit/"):
        page = lead.get(address).content.decode()
        assert "API_TOKEN" in page and VALUE not in page


def test_what_was_typed_is_not_sent_back(lead: Client) -> None:
    answer = lead.post(f"{STAGING}secret/", {"name": "1ST", "value": VALUE})
    assert answer.status_code == 422
    assert VALUE not in answer.content.decode()


def test_a_secret_is_removed(lead: Client) -> None:
    lead.post(f"{STAGING}secret/", {"name": "API_TOKEN", "value": VALUE})
    assert lead.post(f"{STAGING}secret/remove/", {"name": "API_TOKEN"}).status_code == 302
    assert not EnvironmentSecret.objects.filter(replaced_at=None).exists()


def test_the_launch_page_says_that_the_environment_has_it(lead: Client) -> None:
    lead.post("/environments/development/secret/", {"name": "TOKEN", "value": VALUE})
    run = "/runbooks/deployment/run/?procedure=release&environment=development"
    page = lead.get(run).content.decode()
    assert "development has this secret: leave it empty to use that." in page


def test_a_variable_is_added_and_no_secret_becomes_one(lead: Client) -> None:
    add = f"{STAGING}add/variables/"
    assert lead.post(add, {"name": "REGION", "value": "eu"}).status_code == 302
    lead.post(f"{STAGING}secret/", {"name": "API_TOKEN", "value": VALUE})
    answer = lead.post(add, {"name": "API_TOKEN", "value": "open"})
    assert "It is a secret of this environment" in answer.content.decode()


@pytest.mark.parametrize(
    ("url", "kept"),
    [("https://x.example.org/health", True), ("", True), ("ftp://x", False), ("x", False)],
)
def test_where_health_is_asked(lead: Client, url: str, kept: bool) -> None:
    Environment.objects.filter(pk="staging").update(health_url="http://before.example.org/")
    lead.post(f"{STAGING}health/", {"health_url": url})
    assert (Environment.objects.get(pk="staging").health_url == url) is kept


def test_a_secret_sent_when_the_password_is_asked_again_is_in_no_page(lead: Client) -> None:
    Session.objects.update(proved_at=Now() - FRESH)
    asked = lead.post(f"{STAGING}secret/", {"name": "API_TOKEN", "value": VALUE})
    page = asked.content.decode()
    assert (asked.status_code, VALUE in page) == (403, False)
    assert 'name="kept"' in page
