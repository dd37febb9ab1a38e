"""How long a document takes to be parsed and held to the rules: an ordinary one, and the largest there is."""

import time
from collections.abc import Callable
from datetime import date

from markdown_it import MarkdownIt

from benchmarks.figures import Figure, median
from cvdops.spec.lint import lint
from cvdops.spec.parser import MAX_BYTES, MAX_LINES, parse

_RUNS = 5
_HEAD = """\
---
format: 1
id: bench
category: performance
last_updated: 2026-11-01
impact: No downtime.
tools: [sqlite3, curl]
variables:
  LABEL: {default: manual, pattern: "[a-z0-9_-]{1,40}"}
---
# Bench

## Procedures

"""
_STEP = """\
### Count the rows of table %(n)d

The numbers are compared with those of the backup below. %(words)s

```bash {#count-%(n)d timeout=2m idempotent}
ROWS_%(n)d=$(sqlite3 -readonly "${DATABASE_PATH}" "SELECT count(*) FROM t%(n)d;")
printf '%%-20s %%s rows\\n' "t%(n)d" "${ROWS_%(n)d}"
if [ "${ROWS_%(n)d}" -lt 1 ]; then
  echo "The table is empty. Look at ${LOG_DIR}/error.log." >&2
  exit 1
fi
```

```output
t%(n)d ... rows
```

"""


def measure() -> list[Figure]:
    """Beside each figure, as its floor, what markdown-it alone takes for the same text."""
    steps = 2000 // _STEP.count("\n")
    ordinary = _document(steps, "")
    largest = _document(MAX_LINES // _STEP.count("\n") - 2, "Words of prose about it. " * 12)
    items = "# List\n\n## Procedures\n\n" + "- a\n" * (MAX_LINES - 10)
    assert len(largest) <= MAX_BYTES
    return [
        _figure("parse and lint 2,000 lines", ordinary, 50.0),
        _figure("parse and lint 1 MB", largest, 1000.0),
        _figure("parse and lint 20,000 list items", items, 1000.0),
    ]


def _figure(name: str, source: str, goal: float) -> Figure:
    return Figure(name, _milliseconds(source, _study), "ms", _milliseconds(source, _floor), goal)


def _study(document: str) -> None:
    lint(parse(document), document, date(2026, 12, 1))


def _floor(document: str) -> None:
    MarkdownIt("commonmark").parse(document)


def _document(steps: int, words: str) -> str:
    return _HEAD + "".join(_STEP % {"n": n, "words": words} for n in range(steps))


def _milliseconds(source: str, work: Callable[[str], None]) -> float:
    """The median over several runs after a first, of this process's own time."""
    times = []
    for run in range(_RUNS + 1):
        document = source.replace("error.log", f"error{run}.log")  # nothing is remembered of it
        start = time.process_time()
        work(document)
        times.append((time.process_time() - start) * 1000)
    return median(times[1:])
