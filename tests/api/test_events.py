"""Events for programs, from a real web server: each once and in order, wherever a program comes back."""

import base64
import http.client
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest

from cvdops.access import tokens
from cvdops.access.models import RoleGrant
from cvdops.accounts.models import Token
from cvdops.api import feed
from cvdops.executions import services
from cvdops.executions.models import Execution
from cvdops.live import ring
from cvdops.settings import DATABASE_POOL
from tests.api.calls import call, get, token
from tests.executions.scene import Scene
from tests.executions.test_engine import block
from tests.live.output import attempt, note, write
from tests.live.test_stream import connections_of_others
from tests.live.viewer import TIMEOUT, Event, Stream


@dataclass(frozen=True)
class Program:
    """Requests with somebody's token."""

    port: int
    text: str

    @contextmanager
    def watch(self, execution: Execution, after: object = "", **headers: str) -> Iterator[Stream]:
        query = f"?after={after}" if after != "" else ""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        fields = {"Authorization": f"Bearer {self.text}"}
        path = f"/api/v1/executions/{execution.pk}/events{query}"
        connection.request("GET", path, headers=fields | headers)
        try:
            yield Stream(connection.getresponse())
        finally:
            connection.close()


@pytest.fixture
def program(server: int, scene: Scene) -> Program:
    scene.person("system-admin")
    return Program(server, token("system-admin"))


def told(stream: Stream) -> list[Event]:
    """Everything to the end, without what only says that the stream lives."""
    return [event for event in stream if event.name not in {"mode", "beat"}]


def positions(events: list[Event]) -> list[int]:
    return [int(event.position) for event in events if event.position]


def written(events: list[Event], step: str) -> bytes:
    """The output of a step, put together from its pieces."""
    data = b""
    for event in events:
        if event.name == "output" and event.data["step"] == step:
            assert event.data["offset"] == len(data)
            said = event.data
            data += said["text"].encode() if "text" in said else base64.b64decode(said["base64"])
            assert event.data["next_offset"] == len(data)
    return data


@pytest.fixture
def done(scene: Scene) -> Execution:
    scene.runbook(block("one", "echo first") + block("two", "printf 'h\\303\\251 \\377'; exit 3"))
    execution = scene.run()
    services.give_up(scene.person("devops-engineer"), execution.pk, "no use")
    execution.refresh_from_db()
    return execution


def test_everything_that_happened_in_its_order(program: Program, done: Execution) -> None:
    with program.watch(done) as stream:
        assert stream.response.headers["Content-Type"] == "text/event-stream"
        events = told(stream)
    assert events.pop().name == "end"
    assert positions(events) == list(range(1, done.seq + 1))
    assert written(events, "one") == b"first\n"
    assert written(events, "two") == b"h\xc3\xa9 \xff"
    kinds = [event.data.get("kind", "output") for event in events]
    assert kinds.index("output") < kinds.index("step.succeed")
    start, last = events[0].data, events[-1].data
    assert (start["kind"], start["user"]) == ("execution.start", "devops-engineer")
    assert (last["kind"], last["comment"]) == ("execution.fail", "no use")
    assert last["execution"]["state"] == "failed"
    failed = next(event.data for event in events if event.data.get("kind") == "step.fail")
    assert (failed["step"]["id"], failed["step"]["exit_code"]) == ("two", 3)


def test_it_goes_on_after_any_position(program: Program, done: Execution) -> None:
    with program.watch(done, 0) as stream:
        everything = told(stream)
    for position in (1, done.seq // 2, done.seq - 1):
        headers = {"Last-Event-ID": str(position)}
        with program.watch(done, **headers) as stream:
            rest = told(stream)
        assert positions(rest) == list(range(position + 1, done.seq + 1))
        assert [e.data for e in rest] == [e.data for e in everything][-len(rest) :]


def test_who_has_everything_is_told_so(program: Program, done: Execution) -> None:
    text = program.text
    known = get(text, f"executions/{done.pk}")["position"]
    answer = call(text, "GET", f"executions/{done.pk}/events", after=str(known))
    assert answer.status_code == 204
    assert "Content-Type" not in answer


@pytest.mark.parametrize("after", ["99999", "-1", "x"])
def test_a_position_that_means_nothing_resets(
    program: Program, execution: Execution, after: str
) -> None:
    with program.watch(execution, after) as stream:
        assert [event.name for event in stream] == ["reset"]


def test_what_happens_comes_at_once(program: Program, execution: Execution) -> None:
    first = attempt(execution)
    with program.watch(execution, execution.seq) as stream:
        write(execution, first, 0, "hé".encode())
        event = stream.first("output")
        assert event.data | {"step": "first", "offset": 0, "text": "hé"} == event.data
        note(execution, "quiet")
        event = stream.first("execution")
        assert (event.data["kind"], event.data["text"]) == ("note", "quiet")
        services.cancel(execution.requested_by, execution.pk)
        event = stream.first("execution")
        assert event.data["execution"]["state"] == "cancelled"
        assert [event.name for event in told(stream)] == ["end"]


def test_a_long_way_back_is_read_without_gap_or_double(
    program: Program, execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In turns that are smaller than what there is, and a ring that does not hold it."""
    monkeypatch.setattr(feed, "AT_ONCE", 7)
    monkeypatch.setattr(ring, "MAX_FRAMES", 10)
    first, text = attempt(execution), [f"line {n}\n".encode() for n in range(60)]
    offset = 0
    for line in text:
        write(execution, first, offset, line)
        note(execution, "so")
        offset += len(line)
    services.cancel(execution.requested_by, execution.pk)
    execution.refresh_from_db()
    for _ in range(2):  # the first makes what they share, the second comes to it
        with program.watch(execution) as stream:
            events = told(stream)
        assert positions(events) == list(range(1, execution.seq + 1))
        assert written(events, "first") == b"".join(text)


def test_of_a_flood_the_place_is_told(
    program: Program, execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "MOST", 100)
    monkeypatch.setattr(feed, "PIECE", 40)
    first = attempt(execution)
    for n in range(5):
        write(execution, first, n * 60, b"x" * 60)
    services.cancel(execution.requested_by, execution.pk)
    with program.watch(execution) as stream:
        pieces = [event.data for event in stream if event.name == "output"]
    assert [p["offset"] for p in pieces if p.get("skipped")] == [0, 60, 120, 180]
    assert [(p["offset"], len(p["text"])) for p in pieces if "text" in p] == [(240, 40), (280, 20)]
    path = f"executions/{execution.pk}/steps/first/output"
    assert len(call(program.text, "GET", path).content) == 300


def revoked(text: str) -> None:
    found = Token.objects.get()
    tokens.revoke(found.user, found.pk)


def without_role(text: str) -> None:
    RoleGrant.objects.filter(user=Token.objects.get().user).delete()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("end", [revoked, without_role])
def test_a_right_that_ends_ends_the_stream(
    program: Program, execution: Execution, end: object
) -> None:
    with program.watch(execution, execution.seq) as stream:
        assert callable(end)
        end(program.text)
        assert stream.first("bye")
        assert list(stream) == []


def test_unknown_and_forbidden_are_the_same(program: Program, execution: Execution) -> None:
    text = token("outsider")
    paths = (execution.pk, "019ab000-0000-7000-8000-000000000000", "x")
    answers = [call(text, "GET", f"executions/{pk}/events") for pk in paths]
    assert {a.status_code for a in answers} == {404}
    assert len({a.content for a in answers}) == 1


def test_open_streams_hold_no_connection(program: Program, execution: Execution) -> None:
    before = threading.active_count()
    with ExitStack() as stack:
        for _ in range(25):
            stream = stack.enter_context(program.watch(execution, execution.seq))
            assert stream.response.readline()
        assert connections_of_others() <= DATABASE_POOL
        assert threading.active_count() - before < 25
