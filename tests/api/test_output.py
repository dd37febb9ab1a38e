"""Raw output by the API: from an offset, by range, and no byte more or less."""

import pytest

from cvdops.executions.models import Execution, OutputSegment, StepAttempt
from cvdops.live import download
from tests.api import test_controls
from tests.api.calls import call, token
from tests.executions.scene import Scene
from tests.executions.test_engine import block
from tests.live.output import attempt, write

TEXT = b"0123456789\xff\xfe\n"


@pytest.fixture
def path(execution: Execution) -> str:
    write(execution, attempt(execution), 0, TEXT)
    return f"executions/{execution.pk}/steps/first/output"


@pytest.fixture
def text(scene: Scene) -> str:
    scene.person("developer")
    return token("developer")


def test_it_is_read_from_an_offset_on(path: str, text: str) -> None:
    for offset in (0, 4, len(TEXT)):
        answer = call(text, "GET", path, offset=str(offset))
        assert (answer.status_code, answer.content) == (200, TEXT[offset:])
        assert answer["X-Next-Offset"] == str(len(TEXT))
        assert answer["X-Complete"] == "false"
        assert answer["X-Attempt"] == "1"


def test_beyond_the_end_there_is_nothing_yet(execution: Execution, path: str, text: str) -> None:
    beyond = str(len(TEXT) + 3)
    answer = call(text, "GET", path, offset=beyond)
    assert (answer.status_code, answer.content) == (200, b"")
    assert (answer["X-Next-Offset"], answer["X-Complete"]) == (beyond, "false")
    write(execution, StepAttempt.objects.get(), len(TEXT), b"more\n")
    answer = call(text, "GET", path, offset=beyond)
    assert (answer.content, answer["X-Next-Offset"]) == (b"e\n", str(len(TEXT) + 5))


def test_before_the_first_byte_an_offset_stays(scene: Scene, text: str) -> None:
    scene.runbook(block("one", "true"))
    answer = call(text, "GET", f"executions/{scene.start().pk}/steps/one/output", offset="1957")
    assert (answer.status_code, answer.content, answer["X-Next-Offset"]) == (200, b"", "1957")


def test_who_asks_from_the_next_offset_misses_nothing(
    execution: Execution, path: str, text: str
) -> None:
    following = call(text, "GET", path)["X-Next-Offset"]
    assert call(text, "GET", path, offset=following).content == b""
    write(execution, StepAttempt.objects.get(), len(TEXT), b"more\n")
    answer = call(text, "GET", path, offset=following)
    assert (answer.content, answer["X-Next-Offset"]) == (b"more\n", str(len(TEXT) + 5))


@pytest.mark.parametrize(
    ("asked", "begin", "end"),
    [("0-3", 0, 4), ("4-", 4, 13), ("-3", 10, 13), ("5-5", 5, 6), ("2-999", 2, 13), ("-99", 0, 13)],
)
def test_a_range_of_it(path: str, text: str, asked: str, begin: int, end: int) -> None:
    answer = call(text, "GET", path, headers={"range": f"bytes={asked}"})
    assert (answer.status_code, answer.content) == (206, TEXT[begin:end])
    assert answer["Content-Range"] == f"bytes {begin}-{end - 1}/*"
    assert answer["Content-Length"] == str(end - begin)


@pytest.mark.parametrize("asked", ["13-", "99-100", "-0"])
def test_bytes_that_are_not_there(path: str, text: str, asked: str) -> None:
    answer = call(text, "GET", path, headers={"range": f"bytes={asked}"})
    assert (answer.status_code, answer["Content-Range"]) == (416, "bytes */13")
    assert answer.json()["code"] == "range"


@pytest.mark.parametrize("asked", ["bytes=", "bytes=-", "bytes=3-1", "bytes=0-1,3-4", "lines=1-2"])
def test_what_is_no_range_is_left_out(path: str, text: str, asked: str) -> None:
    answer = call(text, "GET", path, headers={"range": asked})
    assert (answer.status_code, answer.content) == (200, TEXT)


def test_nothing_new_is_said_so(execution: Execution, path: str, text: str) -> None:
    tag = call(text, "GET", path)["ETag"]
    assert call(text, "GET", path, headers={"if-none-match": tag}).status_code == 304
    write(execution, StepAttempt.objects.get(), len(TEXT), b"more\n")
    assert call(text, "GET", path, headers={"if-none-match": tag}).status_code == 200
    headers = {"if-range": tag, "range": "bytes=0-1"}
    assert call(text, "GET", path, headers=headers).status_code == 200


def test_much_of_it_comes_in_pieces(path: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "PIECE", 4)
    monkeypatch.setattr("cvdops.api.output.PIECE", 4)
    monkeypatch.setattr("django.db.connections.close_all", lambda: None)
    answer = call(text, "GET", path, offset="1")
    assert answer.streaming
    assert answer["Content-Length"] == "12"


def test_before_the_first_attempt_there_is_none(scene: Scene, text: str) -> None:
    scene.runbook(block("one", "true"))
    answer = call(text, "GET", f"executions/{scene.start().pk}/steps/one/output")
    assert (answer.status_code, answer.content) == (200, b"")
    assert (answer["X-Attempt"], answer["X-Complete"]) == ("0", "false")


def test_of_what_has_ended_all_is_there(scene: Scene, text: str) -> None:
    made = test_controls.stuck(scene)
    answer = call(text, "GET", f"executions/{made.pk}/steps/two/output")
    assert (answer["X-Complete"], answer["X-Attempt"]) == ("true", "1")
    assert (
        call(text, "GET", f"executions/{made.pk}/steps/two/output", attempt="2").status_code == 404
    )


def test_what_was_removed_is_said_to_be(execution: Execution, path: str, text: str) -> None:
    StepAttempt.objects.update(output_size=13)
    OutputSegment.objects.all().delete()
    answer = call(text, "GET", path)
    assert (answer.status_code, answer.json()["code"]) == (410, "removed")


@pytest.mark.parametrize("query", [{"offset": "-1"}, {"offset": "x"}, {"length": "3"}])
def test_a_question_that_does_not_fit(path: str, text: str, query: dict[str, str]) -> None:
    assert call(text, "GET", path, **query).status_code == 422


def test_unknown_and_forbidden_are_the_same(path: str, text: str) -> None:
    answers = [
        call(token("outsider"), "GET", path),
        call(text, "GET", path.replace("executions/", "executions/x")),
    ]
    assert {a.status_code for a in answers} == {404}
    assert answers[0].content == answers[1].content
