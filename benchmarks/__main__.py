"""`python -m benchmarks [--out FILE]`: start the system, measure, print, stop."""

import argparse
import sys
from pathlib import Path

from benchmarks import (
    crowd,
    flood,
    history,
    hostile,
    memory,
    pages,
    painting,
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
    figures: list[Figure] = documents.measure()
    with system.folder() as data:
        with system.running(data) as first:
            seconds = first.seconds
        with system.running(data) as running:
            figures += [
                Figure("start of a new system", seconds * 1000, "ms", None, 20_000.0),
                Figure(
                    "start of one that has run before", running.seconds * 1000, "ms", None, 5000.0
                ),
                *memory.measure(running),
            ]
            system.connect(data)
            # Before anything else is in the catalog: with the runbooks of the demo.
            cookie, execution = viewers.log_in(running.port), steps.backup()
            figures += pages.measure(running.port, cookie, execution)
            figures += painting.measure(running.port, cookie, execution)
            runbooks = data / "bench-runbooks"
            runbooks.mkdir()
            steps.publish(
                runbooks, fifty=["true"] * steps.STEPS, one=["true"], lines=[viewers.SCRIPT]
            )
            figures += steps.measure()
            log, pipe = flood.publish(runbooks), crowd.publish(runbooks)
            figures += ssh.measure(runbooks, log)
            figures += viewers.measure(running.port)
            figures += hostile.measure(running.port)
            figures += flood.measure(running, log)
            figures += crowd.measure(running, pipe)
            figures += crowd.recovery(running)
            figures += history.measure(running)  # last: it fills the database
    print(table(figures))
    if out:
        write(figures, out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
