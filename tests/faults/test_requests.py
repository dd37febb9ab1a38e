"""A worker dies at each commit and each send of an execution with an `http` step."""

from collections.abc import Iterator

import pytest

from cvdops.executions.models import Execution
from tests.executions.test_engine import block
from tests.faults.play import expire_leases, victim
from tests.faults.rig import Rig
from tests.http_server import HttpServer

QUICK = ["attempt.sent:1", "request.sent:1", "attempt.finished:1"]


@pytest.fixture
def server(rig: Rig) -> Iterator[HttpServer]:
    with HttpServer() as server:
        rig.scene.environment.addresses.create(host="127.0.0.1", port=server.port)
        rig.scene.environment.variables.create(name="BASE_URL", value=server.url)
        yield server


def die(rig: Rig, place: str) -> tuple[Execution, bool]:
    """An execution whose worker dies at this place, as far as others can take it; whether it died."""
    [execution] = rig.start()
    died = victim(execution, place) == 9
    expire_leases()
    return rig.scene.advance(execution), died


def judge(rig: Rig, server: HttpServer, execution: Execution, method: str) -> None:
    """A GET is asked until it is answered; a POST once at most, and what it did is never guessed."""
    state, asked = rig.scene.states(execution)["one"], len(server.requests)
    if method == "GET":
        assert (state, asked in (1, 2)) == ("succeeded", True)
    else:
        assert (state, asked) in {("succeeded", 1), ("interrupted", 0), ("interrupted", 1)}
    server.requests.clear()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "places",
    [QUICK, pytest.param([f"*:{n}" for n in range(1, 40)], marks=pytest.mark.faults)],
    ids=["some", "every"],
)
def test_death_at(method: str, places: list[str], rig: Rig, server: HttpServer) -> None:
    rig.runbook(block("one", f"{method} ${{BASE_URL}}/a", kind="http"))
    for place in places:
        execution, died = die(rig, place)
        judge(rig, server, execution, method)
        if not died:
            break
    assert died == (places is QUICK)
