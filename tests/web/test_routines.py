"""The page of what is due again and again, and what home says of it."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from cvdops.executions.models import RoutineDone
from tests.api.calls import call, get, token
from tests.web.world import World

OVERDUE = 'id="routines-due"'


@pytest.fixture
def late(world: World) -> World:
    """A review of the runbooks is overdue."""
    RoutineDone.objects.filter(routine="runbooks").update(at=Now() - timedelta(days=100))
    return world


def test_home_tells_those_who_see_to_it(late: World) -> None:
    for role, told in (("operations-lead", True), ("admin", True), ("developer", False)):
        page = late.client(role).get("/").content.decode()
        assert (OVERDUE in page and "Review all runbooks for accuracy" in page) is told, role


def test_it_is_confirmed_with_a_note_that_everybody_reads(late: World) -> None:
    lead = late.client("operations-lead")
    answer = lead.post("/routines/runbooks/confirm/", {"note": " "})
    assert answer.status_code == 422 and "what came of it" in answer.content.decode()
    assert lead.post("/routines/runbooks/confirm/", {"note": "All right."}).status_code == 302
    assert OVERDUE not in lead.get("/").content.decode()
    assert "All right." in late.client("developer").get("/routines/").content.decode()
    assert "All right." in late.client("developer").get("/routines/runbooks/").content.decode()


def test_an_unknown_one_is_not_found(world: World) -> None:
    assert world.client("operations-lead").get("/routines/nothing/").status_code == 404


def test_programs_do_the_same(late: World) -> None:
    text = token("operations-lead")
    due = [one["key"] for one in get(text, "routines")["items"] if one["overdue"]]
    assert due == ["runbooks"]
    answer = call(text, "POST", "routines/runbooks/confirm", {"note": "All right."})
    assert answer.status_code == 201, answer.content
    assert get(text, "routines/runbooks")["items"][0]["note"] == "All right."
    assert call(text, "POST", "routines/test-restore/confirm", {"note": "x"}).status_code == 409
