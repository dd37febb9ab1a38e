"""Small real programs to supervise."""

import sys
from pathlib import Path

from cvdops.stack.parts import Part

# Writes its number once it may be asked, then does as it is told by its name.
STEADY = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(600)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + STEADY
SHORT = "import sys; print('no such planogram'); sys.exit(3)"


def program(name: str, script: str, journal: Path, **options: object) -> Part:
    def ready(pid: int) -> bool:
        return str(pid) in pids(journal)

    part = {"grace": 20, "patience": 60, **options}
    return Part(name, [sys.executable, "-c", script, str(journal)], ready, **part)  # type: ignore[arg-type]


def pids(journal: Path) -> list[str]:
    """The numbers of all processes that ever wrote into the journal."""
    return journal.read_text().split() if journal.exists() else []
