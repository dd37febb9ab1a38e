"""`python -m benchmarks [--out FILE]`: start the system, measure, print, stop."""

import argparse
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from benchmarks import (
    crowd,
    flood,
    history,
    hostile,
    memory,
    pages,
    painting,
    programs,
    ssh,
    steps,
    system,
    viewers,
)
from benchmarks import parser as documents
from benchmarks.figures import Figure, table, write


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--out", type=Path, help="write the figures as JSON, too")
    out: Path | None = parser.parse_args().out
    figures: list[Figure] = []
    for figure in chain.from_iterable(measured()):
        figures.append(figure)
        if out:
            write(figures, out)  # what was measured stays, should it be cut off
    print(table(figures))
    return 0


def measured() -> Iterator[Iterable[Figure]]:
    """The figures, part by part."""
    yield documents.measure()
    with system.folder() as data:
        with system.running(data) as first:
            yield [Figure("start of a new system", first.seconds * 1000, "ms", None, 20_000.0)]
        with system.running(data) as running:
            again = running.seconds * 1000
            yield [Figure("start of one that has run before", again, "ms", None, 5000.0)]
            yield memory.measure(running)
            system.connect(data)
            # Before anything else is in the catalog: with the runbooks of the demo.
            cookie, execution = viewers.log_in(running.port), steps.backup()
            yield pages.measure(running.port, cookie, execution)
            yield painting.measure(running.port, cookie, execution)
            runbooks = data / "bench-runbooks"
            runbooks.mkdir()
            steps.publish(
                runbooks, fifty=["true"] * steps.STEPS, one=["true"], lines=[viewers.SCRIPT]
            )
            yield steps.measure()
            log, pipe = flood.publish(runbooks), crowd.publish(runbooks)
            yield ssh.measure(runbooks, log)
            yield viewers.measure(running.port)
            yield programs.measure(running.port, runbooks, execution)
            yield hostile.measure(running.port)
            yield flood.measure(running, log)
            yield crowd.measure(running, pipe)
            yield crowd.recovery(running)
            yield history.measure(running)  # last: it fills the database


if __name__ == "__main__":
    sys.exit(main())
