"""S38: positions that mean nothing, and data that would like to be fields of the stream."""

import re

import pytest

from cvdops.executions.models import Execution
from tests.executions.scene import Scene
from tests.live.output import attempt, note, write
from tests.live.viewer import Visitor

FIELD = re.compile(r"(?:event: [a-z]+|id: \d+|data: [{].*|retry: \d+|: still here)?")
HOSTILE = "a\r\nevent: bye\r\nid: 999\r\n\r\ndata: {}\r\revent: end\n\nretry: 1\u2028\u0085id: 7"
GARBAGE = ["-1", "x", "1.0", "1" + "0" * 30, "\u0663", "1;2", "' OR 1=1", "%00", "null", "1_0"]


@pytest.mark.parametrize("value", GARBAGE)
def test_a_last_event_id_that_means_nothing_resets(
    visitor: Visitor, execution: Execution, value: str
) -> None:
    header = value.encode().decode("latin-1")  # as it travels
    with visitor.watch(execution.pk, **{"Last-Event-ID": header}) as stream:
        assert [event.name for event in stream] == ["reset"]


def test_the_position_of_another_execution_resets(visitor: Visitor, scene: Scene) -> None:
    scene.runbook("#### Say\n```bash {#say}\necho hello\n```\n")
    other, mine = scene.run(), scene.start()
    assert other.seq > mine.seq
    with visitor.watch(mine.pk, str(other.seq)) as stream:
        assert [event.name for event in stream] == ["reset"]


def test_data_never_becomes_a_field(visitor: Visitor, execution: Execution) -> None:
    first = attempt(execution)
    with visitor.watch(execution.pk, str(execution.seq)) as stream:
        note(execution, HOSTILE)
        state = stream.first("state")
        write(execution, first, 0, HOSTILE.encode() + b"\n")
        output = stream.first("output")
        for line in stream.raw.decode().split("\n"):
            assert FIELD.fullmatch(line), line
    assert "event: bye" in state.data["fragments"]["notes"]
    assert "event: bye" in str(output.data["lines"])
