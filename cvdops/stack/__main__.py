"""`python -m cvdops.stack`: what `make up` runs. Exit code 2 when it cannot start, else 0."""

import argparse
import contextlib
import os
import sys
from pathlib import Path

from cvdops.stack import preflight
from cvdops.stack.parts import StartError
from cvdops.stack.portal import PROJECT
from cvdops.stack.supervisor import Stopped
from cvdops.stack.system import System
from cvdops.web.people import PASSWORD, PEOPLE


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m cvdops.stack", description=__doc__)
    parser.add_argument("--port", default="8000", help="of the portal (default 8000)")
    given: str = parser.parse_args().port
    if not given.isdecimal():
        print(f"Cannot start: the port is a number, not {given!r}.", file=sys.stderr)  # noqa: T201
        return 2
    port = int(given)
    data = Path(os.environ.get("CVDOPS_DATA_DIR") or PROJECT / ".data").resolve()
    try:
        preflight.tools()
        preflight.folders(data)
        with preflight.only_one(data):
            return run(System(data, port, say))
    except StartError as error:
        print(f"Cannot start: {error}", file=sys.stderr)  # noqa: T201
        return 2


def run(system: System) -> int:
    try:
        with contextlib.suppress(Stopped):
            system.start()
            welcome(system)
            system.watch()
        say("Stopping …")
    finally:
        system.stop()
    say("Stopped.")
    return 0


def welcome(system: System) -> None:
    names = [name for name, _ in PEOPLE]
    half = (len(names) + 1) // 2
    say(
        f"Ready: http://localhost:{system.port}\n\n"
        f"  Log in as  {', '.join(names[:half])},\n"
        f"             {', '.join(names[half:])}\n"
        f"  Password   {PASSWORD}\n"
        f"  Data       {system.data} (logs in logs/)\n"
        "  Ctrl-C stops everything.\n"
    )


def say(line: str) -> None:
    # The terminal may be gone; the parts must still be stopped in order.
    with contextlib.suppress(OSError):
        print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
