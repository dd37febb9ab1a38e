"""The stream of an execution, from a real web server with real PostgreSQL and Redis."""

from contextlib import ExitStack

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from cvdops.access.models import RoleGrant
from cvdops.accounts.models import Session, User
from cvdops.changes import accounts
from cvdops.executions.models import Execution
from cvdops.settings import DATABASE_POOL
from tests.cast import person
from tests.executions.scene import Scene
from tests.live.output import attempt, note, write
from tests.live.viewer import Visitor


def test_output_comes_as_it_is_stored(visitor: Visitor, execution: Execution) -> None:
    first = attempt(execution)
    with visitor.watch(execution.pk, str(execution.seq)) as stream:
        seq = write(execution, first, 0, b"\x1b[32mone\x1b[0m\ntw")
        event = stream.first("output")
        assert event.data["lines"] == [
            [0, '<span class="t-f2">one</span>', False],
            [13, "tw", False],
        ]
        assert event.position == str(seq)
        write(execution, first, 15, b"o\n")
        assert stream.first("output").data["lines"] == [[13, "two", False]]


def test_a_change_comes_as_what_the_page_shows(visitor: Visitor, execution: Execution) -> None:
    with visitor.watch(execution.pk, str(execution.seq)) as stream:
        note(execution, "<b>quiet</b>")
        state = stream.first("state")
        assert "&lt;b&gt;quiet" in state.data["fragments"]["notes"]
        assert "csrf" not in str(state.data) and "<form" not in str(state.data)
        assert stream.first("controls")


def test_a_viewer_resumes_without_gap_or_double(visitor: Visitor, execution: Execution) -> None:
    first = attempt(execution)
    begin = execution.seq
    write(execution, first, 0, b"one\n")
    with visitor.watch(execution.pk, str(begin)) as stream:
        seen = stream.first("output")
    write(execution, first, 4, b"two\n")
    headers = {"Last-Event-ID": seen.position}
    with visitor.watch(execution.pk, str(begin), **headers) as stream:
        assert stream.first("output").data["lines"] == [[4, "two", False]]


@pytest.mark.parametrize("after", ["99999", "-1", "x", "1e3", "9" * 30])
def test_a_position_that_means_nothing_resets(
    visitor: Visitor, execution: Execution, after: str
) -> None:
    with visitor.watch(execution.pk, after) as stream:
        assert [event.name for event in stream] == ["reset"]


def test_a_finished_execution_ends_its_stream(visitor: Visitor, scene: Scene) -> None:
    scene.runbook("#### Say\n```bash {#say}\necho hello\n```\n")
    done = scene.run()
    with visitor.watch(done.pk, "1") as stream:
        names = [event.name for event in stream]
    assert names[-1] == "end" and "output" in names and "state" in names


def test_a_finished_execution_that_is_known_answers_204(visitor: Visitor, scene: Scene) -> None:
    scene.runbook("#### Say\n```bash {#say}\necho hello\n```\n")
    done = scene.run()
    with visitor.get(f"/executions/{done.pk}/events/?after={done.seq}") as response:
        assert response.status == 204


def test_the_stream_is_neither_kept_nor_compressed(visitor: Visitor, execution: Execution) -> None:
    asked = {"Accept-Encoding": "gzip"}
    with visitor.get(f"/executions/{execution.pk}/events/", **asked) as response:
        assert response.headers["Cache-Control"] == "no-store, no-transform"
        assert response.headers["X-Accel-Buffering"] == "no"
        assert response.headers["Content-Encoding"] == "identity"
        assert response.readline().startswith(b"retry: ")


def test_who_may_not_see_it_finds_nothing(server: int, execution: Execution) -> None:
    client = Client()
    client.force_login(User.objects.create(username="outsider"))
    stranger = Visitor(server, client.cookies["sessionid"].value)
    with stranger.get(f"/executions/{execution.pk}/events/") as response:
        assert response.status == 404


@pytest.mark.usefixtures("impatient")
def test_a_right_that_is_taken_away_ends_the_stream(
    visitor: Visitor, scene: Scene, execution: Execution
) -> None:
    with visitor.watch(execution.pk, str(execution.seq)) as stream:
        RoleGrant.objects.filter(user=scene.person("system-admin")).delete()
        assert stream.first("bye")
        assert list(stream) == []


@pytest.mark.usefixtures("impatient")
def test_what_ends_a_session_ends_its_stream(server: int, execution: Execution) -> None:
    """A logout, a new password, an account that is closed, a session that is ended elsewhere."""
    people = [person("system-admin", name) for name in ("ann", "bob", "cat", "dan")]
    browsers = [Client() for _ in people]
    with ExitStack() as stack:
        streams = []
        for browser, one in zip(browsers, people, strict=True):
            browser.force_login(one)
            visitor = Visitor(server, browser.cookies["sessionid"].value)
            streams.append(stack.enter_context(visitor.watch(execution.pk, str(execution.seq))))
        browsers[0].post("/logout/")
        accounts.choose_password(people[1], "something else entirely")
        User.objects.filter(pk=people[2].pk).update(is_active=False)
        Session.objects.filter(user=people[3]).delete()
        for stream in streams:
            assert stream.first("bye")


def test_open_streams_hold_no_connection(visitor: Visitor, execution: Execution) -> None:
    streams = [visitor.watch(execution.pk, str(execution.seq)) for _ in range(25)]
    try:
        for stream in streams:
            assert stream.__enter__().response.readline()
        assert connections_of_others() <= DATABASE_POOL
        with visitor.get(f"/executions/{execution.pk}/") as response:
            assert response.status == 200
    finally:
        for stream in streams:
            stream.__exit__(None, None, None)


def connections_of_others() -> int:
    """How many connections to this database are open beside the one that asks."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


def test_without_redis_it_polls_and_says_so(
    impatient: None, settings: Settings, visitor: Visitor, execution: Execution
) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    first = attempt(execution)
    with visitor.watch(execution.pk, str(execution.seq)) as stream:
        assert stream.first("mode").data == {"live": False}
        write(execution, first, 0, b"one\n")
        assert stream.first("output").data["lines"] == [[0, "one", False]]


def test_a_database_that_was_away_lets_viewers_read_anew(
    impatient: None, visitor: Visitor, execution: Execution
) -> None:
    with visitor.watch(execution.pk, str(execution.seq)) as stream:
        stream.first("mode")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert stream.first("reset")
        assert list(stream) == []


@pytest.mark.parametrize("form", ["", "?as=text"])
def test_much_output_arrives_whole_where_packing_is_allowed(
    visitor: Visitor, execution: Execution, form: str
) -> None:
    """Each piece packed by itself is a file that ends with the first for a browser."""
    data = b"a line of it\n" * 90_000
    write(execution, attempt(execution), 0, data)
    address = f"/executions/{execution.pk}/steps/first/output/{form}"
    with visitor.get(address, **{"Accept-Encoding": "gzip"}) as response:
        assert "Content-Encoding" not in response.headers
        assert response.read() == data
