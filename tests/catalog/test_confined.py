"""Documents are read in a process of their own, whatever they do to it."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cvdops.catalog import confined
from cvdops.spec.study import UNREAD, Study
from tests.waiting import next_line, until

PROJECT = Path(__file__).parents[2]
GOOD = b"# Good\n\n## Metadata\n\n- **Category**: Incidents\n\n## Procedures\n\n```bash\necho $X\n```\n"


@pytest.fixture
def obeying(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        confined, "_COMMAND", [sys.executable, "-P", "-m", "tests.catalog.obeying_reader"]
    )


@pytest.fixture
def reader() -> Iterator[confined.Reader]:
    with confined.Reader() as made:
        yield made


def codes(study: Study) -> list[str]:
    return [d.code for d in study.diagnostics]


def process_of(reader: confined.Reader) -> int:
    process = reader._process
    assert process
    return process.pid


def is_there(pid: int) -> bool:
    """Whether the process runs; one that only waits to be noticed does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_document_is_understood() -> None:
    study = confined.read(GOOD, "good.md", annotated=True)
    assert (study.runbook.id, study.runbook.step("procedures").body) == ("good", "echo $X\n")
    assert {"RB401", "RB408"} & set(codes(study))
    assert '<h1 id="doc-good">Good</h1>' in study.html
    assert "```bash {#procedures}" in study.annotated


def test_a_batch_is_read_by_one_process_and_in_order(obeying: None) -> None:
    studies = list(confined.read_all([(b"tell", "a.md"), (GOOD, "b.md"), (b"tell", "c.md")]))
    assert [s.runbook.id for s in studies] == ["a", "b", "c"]
    assert studies[0].runbook.title == studies[2].runbook.title


def test_nothing_of_the_environment_is_handed_down(
    obeying: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "x")
    title = confined.read(b"tell", "a.md").runbook.title
    assert title.partition(" ")[2] == "['LC_ALL', 'PYTHONPATH']"


@pytest.mark.parametrize(
    ("source", "why"), [(b"spin", "takes longer than 2 s"), (b"eat", "too much memory")]
)
def test_who_asks_too_much_is_ended(
    obeying: None, monkeypatch: pytest.MonkeyPatch, source: bytes, why: str
) -> None:
    monkeypatch.setattr(confined, "_PATIENCE", 300.0)
    start = time.monotonic()
    asked, after = confined.read_all([(source, "bad.md"), (GOOD, "good.md")])
    assert time.monotonic() - start < confined._PATIENCE  # it was ended by what it had used
    assert codes(asked) == [UNREAD]
    assert why in asked.diagnostics[0].message
    assert (asked.runbook.id, asked.runbook.executable, asked.runbook.steps) == ("bad", False, ())
    assert after.runbook.executable


def test_one_that_only_waits_is_ended_too(obeying: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confined, "_PATIENCE", 1.0)
    assert "takes longer" in confined.read(b"sleep", "bad.md").diagnostics[0].message


def test_one_that_breaks_its_process_is_given_up(obeying: None) -> None:
    assert codes(confined.read(b"die", "bad.md")) == [UNREAD]


def test_a_process_that_somebody_kills_is_replaced(reader: confined.Reader) -> None:
    reader.read(GOOD, "good.md")
    first = process_of(reader)
    os.kill(first, signal.SIGKILL)
    assert reader.read(GOOD, "good.md").runbook.executable
    assert process_of(reader) != first


def test_one_that_is_killed_while_it_reads_is_replaced(
    obeying: None, reader: confined.Reader
) -> None:
    with ThreadPoolExecutor(1) as thread:
        reading = thread.submit(reader.read, b"sleep", "slow.md")
        for _ in range(confined._TRIES):
            pid = until(lambda: reader._process and reader._process.pid)
            os.kill(pid, signal.SIGKILL)
            until(lambda pid=pid: not reader._process or reader._process.pid != pid)
        assert codes(reading.result(60)) == [UNREAD]


def test_threads_do_not_get_each_others_documents() -> None:
    names = [f"runbook-{n}.md" for n in range(8)]
    with ThreadPoolExecutor(4) as threads:
        studies = list(threads.map(lambda name: confined.read(b"# " + name.encode(), name), names))
    assert [f"{s.runbook.id}.md" for s in studies] == names
    assert [s.runbook.title for s in studies] == names


def test_no_process_is_left_behind(reader: confined.Reader) -> None:
    with confined.Reader() as other:
        other.read(GOOD, "good.md")
        pid = process_of(other)
    assert not Path(f"/proc/{pid}").exists()


def test_it_ends_with_the_process_that_started_it() -> None:
    program = (
        "from cvdops.catalog.confined import Reader; import time; r = Reader();"
        "r.read(b'# T', 't'); print(r._process.pid, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE) as parent:
        pid = int(next_line(parent))
        assert is_there(pid)
        parent.kill()
    until(lambda: not is_there(pid), what="the reader ended")


def test_a_process_that_cannot_be_started_is_said_in_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(confined, "_COMMAND", ["/nowhere/python"])
    with pytest.raises(confined.ReaderUnavailable, match="No process could be started"):
        confined.read(GOOD, "good.md")


@pytest.mark.parametrize("count", [2, pytest.param(5, marks=pytest.mark.faults)])
def test_a_large_batch_takes_little_memory(count: int) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for study in confined.read_all([(b"# a\n" * 19_000, "a.md")] * count):
        assert study.html
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000 * count  # kB
