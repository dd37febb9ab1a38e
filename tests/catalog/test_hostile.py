"""Hostile documents have their diagnostic soon, and take no more memory than they are given."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cvdops.catalog.confined import Reader
from cvdops.spec.study import UNREAD
from tests.spec import hostile

MOST = 256_000  # kB
REFUSED = {
    "10 MB": "RB001",
    "label of 80,000 lines": "RB001",
    "aliases": "RB102",
    "depth of 100,000": "RB102",
    "depth of 30,000": "RB102",
    "integer of a million digits": "RB102",
    "duplicate keys": "RB102",
    "tag": "RB102",
    "merge key": "RB102",
    "pattern": "RB107",
    "patterns that are slow together": "RB107",
    "many large procedures": "RB311",
}


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with Reader() as made:
        made.read(b"# Warm", "warm.md")
        yield made


def memory(process: str) -> int:
    """The most that it ever used, in kB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.faults)
        if name in hostile.LONG and name not in REFUSED
        else name
        for name in hostile.NAMED | hostile.STRUCTURE
    ],
)
def test_it_has_its_answer_soon_and_takes_little_memory(name: str, reader: Reader) -> None:
    source = (hostile.NAMED | hostile.STRUCTURE)[name].encode()
    before, start = memory("self"), time.monotonic()
    study = reader.read(source, "hostile.md")
    assert time.monotonic() - start < 60  # 2 s of the processor, which others use too
    assert memory("self") - before < MOST
    if reader._process:  # else it was ended, and the kernel has seen to the memory
        assert memory(str(reader._process.pid)) < MOST
    if name in REFUSED:
        assert {d.code for d in study.diagnostics} & {REFUSED[name], UNREAD}
        assert not study.runbook.executable
