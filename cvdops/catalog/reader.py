"""The process in which documents are read: with limits, and nothing in its environment worth having.

Started by `cvdops.catalog.confined`. It answers each request on its standard input with a study on its
standard output, and ends with its input: when whoever started it is gone, too.
"""

import gc
import os
import pickle
import resource
import signal
import sys
from datetime import date
from pathlib import Path

from cvdops.spec.study import study

SECONDS = 2.0  # of the processor's time for one document
MEMORY = 192 * 1024 * 1024  # bytes that the documents may take
OUT_OF_MEMORY = 3  # the exit status
Request = tuple[bytes, str, date, bool]  # the source, the file's name, today, annotated too

_STATM = Path("/proc/self/statm")


def main() -> None:
    limit()
    gc.disable()  # it looks through a million tokens again and again and finds nothing
    while (request := _next()) is not None:
        # The kernel ends the process: nothing that a document does can hold that up.
        source, name, today, annotated = request
        # To annotate a document it is read again, as it was and as it became.
        signal.setitimer(signal.ITIMER_PROF, 2 * SECONDS if annotated else SECONDS)
        try:
            answer = pickle.dumps(study(source, name, today, annotated=annotated))
        except MemoryError:
            os._exit(OUT_OF_MEMORY)
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()
        gc.collect()


def limit() -> None:
    """Bounds what this process may use from now on."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    used = int(_STATM.read_text().split()[0]) * resource.getpagesize() if _STATM.exists() else 0
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _next() -> Request | None:
    try:
        request: Request = pickle.load(sys.stdin.buffer)  # noqa: S301 — the portal wrote it
        return request
    except EOFError:
        return None


if __name__ == "__main__":
    main()
