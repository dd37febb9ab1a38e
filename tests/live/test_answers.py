"""What came back to a request is for those who may execute; everybody else reads that it is."""

from collections.abc import Iterator

import pytest
from django.test import Client

from cvdops.access.models import RoleGrant
from cvdops.executions.models import Execution
from cvdops.live import guard
from cvdops.live.answers import WITHHELD
from tests.executions.scene import Scene
from tests.executions.test_http import ask
from tests.http_server import HttpServer, answer
from tests.live.test_pages import as_person, page
from tests.live.viewer import Visitor

BODY = "the inside of the service"
MAY, MAY_NOT = "devops-engineer", "system-admin"


@pytest.fixture
def asking(scene: Scene) -> Iterator[Scene]:
    """A runbook whose requests are answered with the body, kept once and not as expected once."""
    with HttpServer(answer(BODY.encode())) as service:
        scene.environment.addresses.create(host="127.0.0.1", port=service.port)
        scene.environment.variables.create(name="BASE_URL", value=service.url)
        scene.runbook(
            ask("keep", "GET ${BASE_URL}/a", "capture=FOUND")
            + ask("call", "GET ${BASE_URL}/b", "", "something else")
        )
        yield scene


@pytest.mark.parametrize(("role", "seen"), [(MAY, True), (MAY_NOT, False)])
def test_on_the_page_in_the_snapshot_and_as_a_file(asking: Scene, role: str, seen: bool) -> None:
    client, execution = as_person(asking, role), asking.run()
    output = client.get(f"/executions/{execution.pk}/steps/call/output/")
    assert output.status_code == (200 if seen else 403)
    snapshot = f"/executions/{execution.pk}/snapshot/?step=call"
    for text in (
        page(client, execution, "?step=call"),
        client.get(snapshot).content.decode(),
        output.getvalue().decode(),
    ):
        assert (BODY in text, WITHHELD in text) == (seen, not seen)


def streamed(server: int, scene: Scene, role: str, execution: Execution) -> str:
    client = Client()
    client.force_login(scene.person(role))
    visitor = Visitor(server, client.cookies["sessionid"].value)
    with visitor.watch(execution.pk, "1") as stream:
        assert [event for event in stream if event.name == "end"]
    return stream.raw.decode()


def test_in_the_stream(asking: Scene, server: int) -> None:
    execution = asking.run()
    for role, seen in ((MAY, True), (MAY_NOT, False), (MAY, True)):
        text = streamed(server, asking, role, execution)
        assert (BODY in text, WITHHELD in text) == (seen, not seen)


def test_who_may_not_any_more_is_sent_away(asking: Scene) -> None:
    execution, user = asking.run(), asking.person(MAY)
    client = Client()
    client.force_login(user)
    shown = guard.Shown(session=client.cookies["sessionid"].value)
    RoleGrant.objects.filter(user=user).update(role=MAY_NOT)
    assert guard._is_allowed(shown, execution.pk, answers=False)
    assert not guard._is_allowed(shown, execution.pk, answers=True)
