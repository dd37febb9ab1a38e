"""Steps that write very much, or what is no text: what is kept, what is said about the rest."""

import hashlib
import re
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from cvdops.executions import output
from cvdops.executions.models import Execution
from tests.executions.scene import Scene
from tests.executions.test_control import at_work, begun
from tests.executions.test_engine import block
from tests.faults.play import expire_leases, play, victim
from tests.proxy import Proxy
from tests.sshd import Sshd
from tests.waiting import until

LIMIT = 4 << 20
GAP = re.compile(r"\n⋯ ([\d,]+) bytes of output were left out here\. ⋯\n".encode())
NUMBERS = "".join(f"{n}\n" for n in range(1, 1_500_001)).encode()  # more than 10 MB


@pytest.fixture(autouse=True)
def _limit(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.OUTPUT_LIMIT = LIMIT
    monkeypatch.setenv("CVDOPS_OUTPUT_LIMIT", str(LIMIT >> 20))  # of a worker of its own


def stored(execution: Execution, key: str = "one") -> bytes:
    """All of it; it must be what its digest says."""
    attempt = execution.steps.get(key=key).attempts.get()
    data = output.read(attempt.pk)
    assert attempt.output_size == len(data)
    assert attempt.output_digest == hashlib.sha256(data).hexdigest()
    return data


def assert_head_and_tail(data: bytes, whole: bytes) -> None:
    """What is stored is the beginning and the end, and the gaps say exactly what is missing."""
    pieces = GAP.split(data)
    texts, gaps = pieces[::2], [int(gap.replace(b",", b"")) for gap in pieces[1::2]]
    assert gaps
    assert whole.startswith(texts[0])
    assert whole.endswith(texts[-1])
    assert len(texts[0]) > LIMIT * 3 // 4
    assert len(texts[-1]) > LIMIT // 20
    assert sum(map(len, texts)) + sum(gaps) == len(whole)
    assert len(data) < LIMIT + (1 << 20)
    at = 0
    for text in texts:
        at = whole.find(text, at)
        assert at >= 0, "the pieces are not in order"


def test_of_a_flood_head_and_tail_are_kept(scene: Scene) -> None:
    scene.runbook(block("one", "seq 1500000"))
    assert_head_and_tail(stored(scene.run()), NUMBERS)


def test_what_fits_is_kept_whole(scene: Scene) -> None:
    scene.runbook(block("one", f"seq 1500000 | head -c {LIMIT}"))
    assert stored(scene.run()) == NUMBERS[:LIMIT]


def test_the_attempts_of_an_execution_share_a_quota(scene: Scene, settings) -> None:
    settings.OUTPUT_QUOTA = LIMIT + (2 << 20)
    scene.runbook(block("one", "seq 1500000") + block("two", "seq 1500000"))
    execution = scene.run()
    assert_head_and_tail(stored(execution), NUMBERS)
    data = stored(execution, "two")
    assert GAP.search(data)
    assert data.endswith(NUMBERS[-10_000:])
    assert (1 << 20) < len(data) < (3 << 20)


def test_a_flood_is_sampled_while_it_lasts(scene: Scene, tmp_path: Path) -> None:
    go = tmp_path / "go"
    scene.runbook(block("one", f"seq 1500000; until test -e {go}; do sleep 0.05; done; echo end"))
    execution = scene.start()
    with at_work(execution):
        begun(scene, execution, "one")
        attempt = execution.steps.get().attempts.get()
        until(lambda: GAP.search(output.read(attempt.pk)), what="a sample")
        out = Path(settings.SPOOL_DIR) / str(attempt.pk) / "out"
        until(lambda: out.stat().st_blocks * 512 < 4 << 20, what="room on the disk")
        go.touch()
    assert_head_and_tail(stored(execution), NUMBERS + b"end\n")


def test_a_connection_that_breaks_while_the_rest_is_fetched(
    far: Scene, server: Sshd, settings
) -> None:
    settings.OUTPUT_LIMIT = 64 << 20
    proxy = Proxy(server.port)
    far.environment.hosts.filter(name="far").update(port=proxy.port)
    far.runbook(block("one", "seq 1500000", "target=far"))
    proxy.cut_after = len(NUMBERS) // 2
    execution = far.run()
    proxy.close()
    assert proxy.cut_after is None
    assert stored(execution) == NUMBERS


@pytest.mark.faults
@pytest.mark.parametrize("times", [1, 2, 3, 4])
def test_a_worker_that_dies_in_a_flood(scene: Scene, times: int) -> None:
    scene.runbook(block("one", "seq 1500000; sleep 0.2; echo end"))
    execution = scene.start()
    assert victim(execution, f"output.stored:{times}") == 9
    expire_leases()
    play(execution.pk)
    assert_head_and_tail(stored(execution), NUMBERS + b"end\n")


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("head -c 3000000 /dev/zero | tr '\\0' x", b"x" * 3_000_000),
        (
            r"for n in {1..5000}; do printf '\0\1\377\200\r\303('; done",
            b"\0\1\xff\x80\r\xc3(" * 5000,
        ),
        ("head -c 3000000 /dev/zero", bytes(3_000_000)),
        (
            "for n in {1..10000}; do echo line $n; done",
            b"".join(b"line %d\n" % n for n in range(1, 10001)),
        ),
    ],
    ids=["one line", "no text", "zeros", "many lines"],
)
def test_whatever_is_written_is_stored_byte_for_byte(
    scene: Scene, script: str, expected: bytes
) -> None:
    scene.runbook(block("one", script))
    execution = scene.run()
    assert stored(execution) == expected
    client = Client()
    client.force_login(scene.person("developer"))
    assert client.get(f"/executions/{execution.pk}/").status_code == 200


def test_the_end_of_a_step_is_noticed_although_its_output_stays_open(scene: Scene) -> None:
    scene.runbook(block("one", "sleep 600 & echo started"))
    began = time.monotonic()
    execution = scene.run()
    assert time.monotonic() - began < 60
    attempt = execution.steps.get().attempts.get()
    assert (attempt.finished_at - attempt.sent_at).total_seconds() < 30
    assert stored(execution) == b"started\n"
