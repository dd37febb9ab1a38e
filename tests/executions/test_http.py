"""`http` steps: sent by the worker, to what the environment allows and the plan says."""

import ctypes
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from cvdops.executions import patience, services
from cvdops.executions.attempts import LATE
from cvdops.executions.leases import HOLDS
from cvdops.executions.models import Execution
from cvdops.lib.errors import Invalid
from tests.executions.scene import Scene
from tests.executions.test_control import at_work
from tests.executions.test_engine import block
from tests.faults.rig import bury
from tests.faults.workers import workers
from tests.http_server import HttpServer, answer
from tests.waiting import until


@pytest.fixture
def server(scene: Scene) -> Iterator[HttpServer]:
    """A server that the environment allows; `${BASE_URL}` leads to it."""
    with HttpServer() as server:
        scene.environment.addresses.create(host="127.0.0.1", port=server.port)
        scene.environment.variables.create(name="BASE_URL", value=server.url)
        yield server


WHERE = "variables: {WHERE: {type: url, required: true}}\n"
NOT_ALLOWED = (
    *("localhost", "localhost.", "[::1]", "[::ffff:7f00:1]", "0.0.0.0", "127.1"),  # noqa: S104
    *(
        "127.0.0.2",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "169.254.169.254",
        "127.0.0.1.nip.example",
    ),
)


def ask(key: str, request: str, attributes: str = "", sample: str = "") -> str:
    expected = f"```output\n{sample}\n```\n\n" if sample else ""
    return block(key, request, attributes, kind="http") + expected


class Silence:
    """An answer that does not come until it is over: to these requests, the first being 1."""

    def __init__(self, of: HttpServer, at: tuple[int, ...] = (1, 2, 3)) -> None:
        self.asked, self.over = threading.Event(), threading.Event()
        self.at = at
        self._server = of

    def __call__(self, connection: socket.socket) -> None:
        if len(self._server.requests) in self.at:
            self.asked.set()
            self.over.wait(60)
        connection.sendall(answer())


@pytest.fixture
def silence(server: HttpServer) -> Iterator[Silence]:
    server.answers = silence = Silence(server)
    yield silence
    silence.over.set()


@contextmanager
def no_other_connections() -> Iterator[None]:
    """Nobody but this thread has one to the database, or gets one."""
    at = connection.settings_dict
    name = connection.ops.quote_name(at["NAME"])
    with (
        connection.cursor() as mine,
        psycopg.connect(host=at["HOST"], user=at["USER"], dbname="postgres") as other,
    ):
        mine.execute("SELECT pg_backend_pid()")
        other.autocommit = True
        other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s",
            [at["NAME"], *mine.fetchone()],
        )
        try:
            yield
        finally:
            other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def test_a_request_is_an_attempt_with_its_transcript(scene: Scene, server: HttpServer) -> None:
    scene.runbook(ask("one", "POST ${BASE_URL}/a\nX-A: ${ENVIRONMENT}\n\nhello"))
    execution = scene.run()
    assert execution.state == "succeeded"
    attempt = execution.steps.get(key="one").attempts.get()
    assert f"\r\nIdempotency-Key: {attempt.pk}\r\n".encode() in server.last
    assert b"\r\nX-A: development\r\n" in server.last
    assert scene.output(execution, "one") == (
        f"POST {server.url}/a\n\nHTTP/1.1 200 OK\nContent-Length: 2\n\nok"
    )
    assert attempt.output_size == len(scene.output(execution, "one"))


def test_what_is_captured_replaces_what_a_host_had(scene: Scene, server: HttpServer) -> None:
    scene.runbook(
        block("one", "FOUND=old")
        + ask("two", "GET ${BASE_URL}/a", "capture=FOUND")
        + block("three", 'echo "$FOUND"')
    )
    assert scene.output(scene.run(), "three") == "ok\n"


def test_the_status_decides(scene: Scene, server: HttpServer) -> None:
    server.answers = lambda connection: connection.sendall(
        answer(b"sorry", server.last.split(b"/")[1][:3].decode() + " Whatever")
    )
    passing = "on-failure=continue "
    scene.runbook(
        ask("a", "POST ${BASE_URL}/503", passing)
        + ask("b", "POST ${BASE_URL}/200", f"{passing} expect-status=201,204")
        + ask("c", "GET ${BASE_URL}/302", passing)
        + ask("d", "GET ${BASE_URL}/404", "expect-status=404")
    )
    execution = scene.run()
    assert {key: step.note for key, step in scene.steps(execution).items()} == {
        "a": "It was answered with 503; expected was 200 to 299.",
        "b": "It was answered with 200; expected was 201, 204.",
        "c": "It was answered with 302; expected was 200 to 299. Redirects are not followed: name "
        "the right address in the step.",
        "d": "",
    }
    assert scene.output(execution, "a").endswith("\n\nsorry")


def test_it_is_tried_again(scene: Scene, server: HttpServer) -> None:
    server.answers = lambda connection: connection.sendall(
        answer(status="200 OK" if len(server.requests) > 1 else "500 X")
    )
    scene.runbook(ask("one", "POST ${BASE_URL}/a", "retry=1 backoff=10ms"))
    execution = scene.run()
    until(lambda: scene.advance(execution).state == "succeeded", what="the second try")
    assert scene.steps(execution)["one"].attempt_count == 2


def test_samples_are_of_the_body_or_of_the_whole_answer(scene: Scene, server: HttpServer) -> None:
    server.answers = answer(b'{"well": true}\n', head="Content-Type: application/json\r\n")
    samples = {
        "a": ('{"well": true}', "exact", "kept"),
        "b": ("{}", "contains", "differs"),
        "c": ("HTTP/1.1 200 OK\nContent-Type: application/json\n...", "contains", "kept"),
        "d": ("HTTP/1.1 201 Created", "contains", "differs"),
    }
    scene.runbook(
        "".join(
            ask(key, "GET ${BASE_URL}", f"on-failure=continue expect={expect}", sample)
            for key, (sample, expect, _) in samples.items()
        )
    )
    steps = scene.steps(scene.run())
    found = {key: (step.sample, step.state) for key, step in steps.items()}
    states = {"kept": "succeeded", "differs": "failed"}
    assert found == {key: (verdict, states[verdict]) for key, (*_, verdict) in samples.items()}


def test_the_body_becomes_a_variable(scene: Scene, server: HttpServer) -> None:
    server.answers = answer(b" b\0lue \n")
    steps = ask("one", "GET ${BASE_URL}/a", "capture=COLOUR") + block("two", 'echo "$COLOUR"')
    scene.runbook(steps + ask("three", "GET ${BASE_URL}/${COLOUR}", 'when="COLOUR == blue"'))
    execution = scene.run()
    assert execution.state == "succeeded"
    assert scene.output(execution, "two") == "blue\n"
    assert server.last.startswith(b"GET /blue ")


def test_secrets_are_sent_and_not_kept(scene: Scene, server: HttpServer) -> None:
    secret = 'sup3r "s3cret"/&'
    server.answers = lambda connection: connection.sendall(
        answer(server.last, head="Location: /" + secret + "\r\n")
    )
    request = (
        "POST ${BASE_URL}/${TOKEN}?t=${TOKEN}\nAuthorization: Bearer ${TOKEN}\n"
        'Content-Type: application/json\n\n{"token": "${TOKEN}"}'
    )
    scene.runbook(ask("one", request, "capture=ECHO"), extra="variables: {TOKEN: {secret: true}}\n")
    execution = scene.run(variables={"TOKEN": secret})
    assert json.loads(server.last.partition(b"\r\n\r\n")[2]) == {"token": secret}
    kept = scene.output(execution, "one") + json.dumps([execution.plan, execution.session])
    assert "sup3r" not in kept
    assert scene.output(execution, "one").count("•••") == 7


def test_a_value_that_does_not_fit_fails_before_anything_is_sent(
    scene: Scene, server: HttpServer
) -> None:
    one = block("one", "NAME=$'a\\r\\nX-Evil: 1'")
    scene.runbook(one + ask("two", "GET ${BASE_URL}/a\nX-A: ${NAME}"))
    execution = scene.run()
    assert scene.states(execution)["two"] == "failed"
    assert "NAME holds line breaks" in scene.steps(execution)["two"].note
    assert server.requests == []


def test_a_start_names_an_address_that_is_not_allowed(scene: Scene, server: HttpServer) -> None:
    scene.runbook(ask("one", "GET ${WHERE}/a"), extra=WHERE)
    for host in NOT_ALLOWED:
        with pytest.raises(Invalid) as error:
            scene.start(variables={"WHERE": f"http://{host}:{server.port}"})
        text = f"{host}:{server.port}, which Development does not allow. Allowed are: 127.0.0.1:"
        assert text in str(error.value)
    assert not Execution.objects.exists()


def test_where_nothing_is_allowed_nothing_can_be_found(scene: Scene) -> None:
    scene.runbook(ask("one", "GET ${LATER}/a"))
    with pytest.raises(Invalid, match=r"an address that a step before it finds.* None is allowed"):
        scene.start()


def test_a_start_names_a_value_that_makes_no_address(scene: Scene, server: HttpServer) -> None:
    scene.runbook(ask("one", "GET ${WHERE}/a"), extra=WHERE)
    with pytest.raises(Invalid, match="WHERE makes no address of a server"):
        scene.start(variables={"WHERE": f"http://me@127.0.0.1:{server.port}"})


def test_what_may_be_reached_is_part_of_the_plan(scene: Scene, server: HttpServer) -> None:
    scene.environment.addresses.create(host="inside.example", port=443)
    scene.runbook(ask("one", "GET ${BASE_URL}/a") + ask("two", "GET ${LATER}/a"))
    here = f"127.0.0.1:{server.port}"
    assert scene.start().plan["addresses"] == {"one": [here], "two": [here, "inside.example:443"]}


def test_an_address_that_was_taken_off_the_list_is_not_reached(
    scene: Scene, server: HttpServer
) -> None:
    scene.runbook(ask("one", "GET ${BASE_URL}/a"))
    execution = scene.start()
    scene.environment.addresses.all().delete()
    scene.advance(execution)
    assert "was taken off the allowed addresses" in scene.steps(execution)["one"].note
    assert server.requests == []


@pytest.mark.parametrize("name", ["BASE_URL", "LATER"])
def test_a_step_cannot_turn_a_request_elsewhere(
    name: str, scene: Scene, server: HttpServer
) -> None:
    with HttpServer() as other:
        one = block("one", f"{name}={other.url}")
        scene.runbook(one + ask("two", f"GET ${{{name}}}/a"))
        execution = scene.start()
        if name == "BASE_URL":  # allowed meanwhile, and still not what was approved
            scene.environment.addresses.create(host="127.0.0.1", port=other.port)
        scene.advance(execution)
        assert "the plan of this execution allows" in scene.steps(execution)["two"].note
        assert other.requests == server.requests == []


def test_a_child_goes_where_its_parent_says(scene: Scene, server: HttpServer) -> None:
    extra = 'variables: {WHERE: {type: url, default: "http://192.0.2.1"}}\n'
    scene.other("inner", ask("in", "GET ${WHERE}/a"), extra)
    call = 'runbook: inner\nprocedure: do-it\nvariables: {WHERE: "${BASE_URL}"}'
    scene.runbook(block("call", call, kind="runbook"))
    execution = scene.run()
    child = Execution.objects.get(parent__execution=execution)
    assert scene.advance(child).state == "succeeded"
    assert len(server.requests) == 1


def test_no_answer_in_time(scene: Scene, silence: Silence) -> None:
    passing = "timeout=300ms on-failure=continue"
    scene.runbook(
        ask("one", "GET ${BASE_URL}/a", passing)
        + ask("two", "POST ${BASE_URL}/a", f"{passing} idempotent")
        + ask("three", "POST ${BASE_URL}/a", passing)
    )
    late = "It was not answered within 0.3 s."
    steps = scene.steps(scene.run())
    assert {key: (step.state, step.note) for key, step in steps.items()} == {
        "one": ("timed_out", late),
        "two": ("timed_out", late),
        "three": ("interrupted", f"{late} Whether it was carried out is not known."),
    }


def test_a_connection_that_breaks(scene: Scene, server: HttpServer) -> None:
    server.answers = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"
    one = ask("one", "GET ${BASE_URL}/a", "on-failure=continue")
    scene.runbook(one + ask("two", "POST ${BASE_URL}/a", "on-failure=continue retry=3"))
    execution = scene.run()
    assert scene.states(execution) == {"one": "failed", "two": "interrupted"}
    assert scene.output(execution, "two").endswith("\n\nabc")


def test_what_cannot_be_reached_was_not_sent(scene: Scene, server: HttpServer) -> None:
    with server:
        pass  # closed
    scene.runbook(ask("one", "POST ${BASE_URL}/a"))
    execution = scene.run()
    step = scene.steps(execution)["one"]
    assert (step.state, step.note.endswith("refused). Nothing was sent.")) == ("failed", True)


def test_requests_undo_what_hosts_did_and_hosts_what_requests_did(
    scene: Scene, server: HttpServer
) -> None:
    steps = block("one", "true", "destructive rollback=undo-one")
    steps += ask("two", "POST ${BASE_URL}/b", "destructive rollback=undo-two")
    steps += block("three", "false", "on-failure=rollback")
    undo = ask("undo-one", "DELETE ${BASE_URL}/a") + block("undo-two", "true")
    scene.runbook(steps, undo)
    execution = scene.run()
    assert (execution.state, execution.outcome) == ("rolled_back", "")
    assert server.last.startswith(b"DELETE /a ")


@pytest.mark.parametrize(("method", "state"), [("GET", "cancelled"), ("POST", "interrupted")])
def test_cancel_ends_it(method: str, state: str, scene: Scene, silence: Silence) -> None:
    scene.runbook(ask("one", f"{method} ${{BASE_URL}}/a") + block("two", "true"))
    execution = scene.start()
    with at_work(execution):
        silence.asked.wait(60)
        services.cancel(scene.person("devops-engineer"), execution.pk)
    assert execution.state == "cancelled"
    assert scene.states(execution) == {"one": state, "two": "pending"}


def test_a_worker_that_goes_down_leaves_soon(scene: Scene, silence: Silence) -> None:
    scene.runbook(ask("one", "POST ${BASE_URL}/a"))
    execution = scene.start()
    try:
        with at_work(execution):
            silence.asked.wait(60)
            HOLDS.drain()
    finally:
        HOLDS.draining.clear()
    assert execution.state == "queued"
    scene.advance(execution)
    assert scene.states(execution) == {"one": "interrupted"}


def test_a_request_whose_worker_stood_still_past_its_lease_may_have_been_sent(
    scene: Scene, silence: Silence
) -> None:
    scene.runbook(ask("one", "POST ${BASE_URL}/a"))
    execution = scene.start()
    with at_work(execution):
        silence.asked.wait(60)
        Execution.objects.update(lease_until=execution.created_at)
        scene.advance(execution)
        silence.over.set()  # the first one goes on now, and has nothing to say any more
    step = scene.steps(execution)["one"]
    assert (execution.state, step.state) == ("waiting", "interrupted")
    assert "stood still until another took over" in step.note
    assert "may have been sent. Whether it was carried out is not known." in step.note


def test_an_answer_that_comes_while_it_goes_down_is_kept(scene: Scene, silence: Silence) -> None:
    scene.runbook(ask("one", "POST ${BASE_URL}/a"))
    execution = scene.start()
    try:
        with at_work(execution):
            silence.asked.wait(60)
            HOLDS.drain()
            silence.over.set()
    finally:
        HOLDS.draining.clear()
    assert scene.states(execution) == {"one": "succeeded"}


def test_an_answer_outlasts_a_database_that_is_away(scene: Scene, silence: Silence) -> None:
    scene.runbook(ask("one", "POST ${BASE_URL}/a"))
    execution = scene.start()
    with at_work(execution):
        silence.asked.wait(60)
        with no_other_connections():
            silence.over.set()
            refused = connection.pool.get_stats().get("requests_errors", 0)
            until(
                lambda: connection.pool.get_stats().get("requests_errors", 0) > refused,
                what="a try to store the answer",
            )
    assert scene.states(execution) == {"one": "succeeded"}


def test_an_answer_that_came_while_the_worker_stood_still_says_so(
    scene: Scene, server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "LOOK", 0.05)
    monkeypatch.setattr(patience, "SLOW", 0.05)
    alone = ctypes.PyDLL(None)  # keeps the interpreter's lock: all of this process stands still

    def answers(connection: socket.socket) -> None:
        alone.send(connection.fileno(), answer(), len(answer()), 0)
        alone.usleep(300_000)

    server.answers = answers
    scene.runbook(ask("one", "GET ${BASE_URL}/a"))
    step = scene.steps(scene.run())["one"]
    assert (step.state, step.note) == ("succeeded", LATE)


def test_kill_9_in_the_middle(scene: Scene, server: HttpServer, tmp_path: Path) -> None:
    server.answers = silence = Silence(at=(1, 3), of=server)
    scene.runbook(ask("one", "GET ${BASE_URL}/a") + ask("two", "POST ${BASE_URL}/b"))
    with workers(tmp_path) as running:
        execution = scene.start()
        for count in silence.at:
            until(lambda: len(server.requests) == count, what=f"request {count}")
            bury(running.kill(0))
        until(lambda: scene.states(execution)["two"] == "interrupted", what="the truth")
    assert scene.states(execution)["one"] == "succeeded"
    assert [request[:6] for request in server.requests] == [b"GET /a", b"GET /a", b"POST /"]
    silence.over.set()
