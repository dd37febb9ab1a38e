"""Errors as pages: the right status, calm, and nothing about the inside."""

import json
from datetime import timedelta

import pytest
from django.db import OperationalError, connections
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path
from pytest_django import Settings

from cvdops.access.marks import requires
from cvdops.access.policy import Action
from cvdops.executions import queues
from cvdops.executions.models import Worker
from cvdops.lib.errors import Conflict
from tests.cast import person
from tests.web.world import World


@requires(Action.PUBLIC)
def moved_on(request: HttpRequest) -> HttpResponse:
    raise Conflict("It was decided by Max at 02:06.", "It was decided")


@requires(Action.PUBLIC)
def broken(request: HttpRequest) -> HttpResponse:
    raise ValueError("the inside")


@requires(Action.PUBLIC)
def no_database(request: HttpRequest) -> HttpResponse:
    raise OperationalError("connection to the inside failed")


urlpatterns = [
    path("moved-on/", moved_on),
    path("broken/", broken),
    path("no-database/", no_database),
    path("", include("cvdops.web.urls")),
]
handler500 = "cvdops.web.errors.server_error"
handler404 = "cvdops.web.errors.not_found"
pytestmark = pytest.mark.urls("tests.web.test_errors")


@pytest.fixture
def browser(db: None) -> Client:
    return Client(raise_request_exception=False)


def test_a_conflict_is_told_in_words(world: World) -> None:
    answer = world.client("auditor").get("/moved-on/")
    assert answer.status_code == 409
    assert b"<h1>It was decided</h1>" in answer.content
    assert b"It was decided by Max at 02:06." in answer.content
    assert b"</html>" in answer.content


def test_htmx_gets_a_notice_for_the_open_page(world: World) -> None:
    answer = world.client("auditor").get("/moved-on/", headers={"hx-request": "true"})
    assert answer["HX-Retarget"] == "#notices"
    assert b"<html" not in answer.content


@pytest.mark.parametrize(
    ("address", "status"), [("/broken/", 500), ("/no-database/", 503), ("/nothing/", 404)]
)
def test_an_error_page_tells_nothing_of_the_inside(
    address: str, status: int, browser: Client
) -> None:
    answer = browser.get(address)
    assert answer.status_code == status
    assert b"inside" not in answer.content
    assert b"</html>" in answer.content


NAVIGATION = b'<nav class="nav"'


@pytest.mark.parametrize(("address", "status"), [("/nothing/", 404), ("/logout/", 405)])
def test_who_is_logged_in_stays_inside_the_portal(address: str, status: int, world: World) -> None:
    answer = world.client("auditor").get(address)
    assert (answer.status_code, NAVIGATION in answer.content) == (status, True)
    assert b'id="palette"' in answer.content


def test_a_form_without_its_mark_is_answered_inside(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person("auditor"))
    answer = client.post("/notices/read/", {})
    assert (answer.status_code, NAVIGATION in answer.content) == (403, True)


@pytest.mark.parametrize("address", ["/nothing/", "/broken/", "/no-database/"])
def test_nobody_and_a_broken_portal_get_a_plain_page(address: str, browser: Client) -> None:
    if address != "/nothing/":
        browser.force_login(person("outsider"))
    assert NAVIGATION not in browser.get(address).content


def test_whose_password_somebody_else_knows_gets_a_plain_page(browser: Client) -> None:
    user = person("outsider")
    user.password_given = True
    user.save()
    browser.force_login(user)
    assert NAVIGATION not in browser.get("/nothing/").content


def gone(*args: object, **kwargs: object) -> None:
    raise OperationalError("gone")


def test_an_unknown_address_without_a_database_is_calm(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = world.client("auditor")

    with monkeypatch.context() as patch:
        patch.setattr(connections["default"], "cursor", gone)
        answer = client.get("/nothing/")
    assert answer.status_code == 404
    assert NAVIGATION not in answer.content


def test_a_wrong_method_says_which_are_right(browser: Client) -> None:
    browser.force_login(person("outsider"))
    answer = browser.get("/logout/")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_without_a_database_a_page_is_calm(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = world.client("auditor")

    with monkeypatch.context() as patch:
        patch.setattr(connections["default"], "cursor", gone)
        answer = client.get("/executions/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def ready(browser: Client) -> tuple[int, dict[str, object]]:
    answer = browser.get("/readyz")
    return answer.status_code, json.loads(answer.content)


GOOD = {"staying": True, "database": True, "redis": True, "worker": True}


def test_ready_when_everything_answers(browser: Client) -> None:
    queues.seen("w", ["env.development"])
    status, told = ready(browser)
    assert (status, told["status"], told["checks"]) == (200, "ok", GOOD)
    assert 0 <= told["worker_seen"] < queues.ALIVE.total_seconds()


def test_degraded_without_what_pages_survive(browser: Client, settings: Settings) -> None:
    status, told = ready(browser)
    assert (status, told["status"], told["worker_seen"]) == (503, "degraded", None)
    assert told["checks"] == {**GOOD, "worker": False}
    queues.seen("w", ["env.development"])
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    status, told = ready(browser)
    assert (status, told["status"], told["checks"]) == (503, "degraded", {**GOOD, "redis": False})


def test_a_frozen_worker_is_no_worker_and_its_last_sign_has_its_age(browser: Client) -> None:
    queues.seen("w", ["env.development"])
    Worker.objects.update(seen_at=Now() - timedelta(seconds=12))
    _status, told = ready(browser)
    assert told["checks"] == {**GOOD, "worker": False} and 12 <= told["worker_seen"] < 60


def test_not_ready_without_a_database_of_whose_workers_nobody_knows(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(connections["default"], "cursor", gone)
        status, told = ready(browser)
    assert (status, told["status"], told["worker_seen"]) == (503, "not ready", None)
    assert told["checks"] == {**GOOD, "database": False, "worker": None}
    assert browser.get("/healthz").status_code == 200
