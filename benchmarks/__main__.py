"""`python -m benchmarks [--out FILE] [--only PART…]`: start the system, measure, print, stop."""

import argparse
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
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

PARTS = (
    *("parser", "start", "memory", "pages", "painting", "steps", "ssh", "viewers", "programs"),
    *("hostile", "flood", "crowd", "recovery", "history"),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--out", type=Path, help="write the figures as JSON, too")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="these parts alone")
    given = parser.parse_args()
    out: Path | None = given.out
    figures: list[Figure] = []
    for figure in chain.from_iterable(measured(given.only)):
        figures.append(figure)
        if out:
            write(figures, out)  # what was measured stays, should it be cut off
    print(table(figures))
    return 0


def measured(wanted: Collection[str]) -> Iterator[Iterable[Figure]]:
    """The figures of these parts, in the order of PARTS; nothing is started for what comes after the last."""
    last = max(wanted, key=PARTS.index)
    for name, measure in parts():
        if name in wanted:
            yield measure()
        if name == last:
            return


def parts() -> Iterator[tuple[str, Callable[[], Iterable[Figure]]]]:
    """Each of PARTS in its surroundings, which are there until the next one is asked for."""
    yield "parser", documents.measure
    with system.folder() as data:
        with system.running(data) as first:
            new = Figure("start of a new system", first.seconds * 1000, "ms", None, 20_000.0)
        with system.running(data) as running:
            again = running.seconds * 1000
            second = Figure("start of one that has run before", again, "ms", None, 5000.0)
            yield "start", lambda: [new, second]
            yield "memory", lambda: memory.measure(running)
            system.connect(data)
            # Before anything else is in the catalog: with the runbooks of the demo.
            port = running.port
            cookie, execution = viewers.log_in(port), steps.backup()
            yield "pages", lambda: pages.measure(port, cookie, execution)
            yield "painting", lambda: painting.measure(port, cookie, execution)
            runbooks = data / "bench-runbooks"
            runbooks.mkdir()
            steps.publish(
                runbooks, fifty=["true"] * steps.STEPS, one=["true"], lines=[viewers.SCRIPT]
            )
            yield "steps", steps.measure
            log, pipe = flood.publish(runbooks), crowd.publish(runbooks)
            yield "ssh", lambda: ssh.measure(runbooks, log)
            yield "viewers", lambda: viewers.measure(port)
            yield "programs", lambda: programs.measure(port, runbooks, execution)
            yield "hostile", lambda: hostile.measure(port)
            yield "flood", lambda: flood.measure(running, log)
            yield "crowd", lambda: crowd.measure(running, pipe)
            yield "recovery", lambda: crowd.recovery(running)
            yield "history", lambda: history.measure(running)  # last: it fills the database


if __name__ == "__main__":
    sys.exit(main())
