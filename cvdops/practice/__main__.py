"""`python -m cvdops.practice create|start|stop|reset|status`: the practice CVD on the command line."""

import argparse
import json
import os
import sys
from pathlib import Path

from cvdops.practice.site import FACTS, Site, SiteError

DEFAULT_PORT = 5000
_PROJECT = Path(__file__).resolve().parents[2]


def main(arguments: list[str]) -> int:
    """Exit code 0 done (status: active), 1 not active, 2 not possible."""
    options = _options().parse_args(arguments)
    root = Path(options.root or _default_root())
    try:
        port = _number(options.port) if options.port else _port(root)
        return _act(options.command, Site(root, port))
    except SiteError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _act(command: str, site: Site) -> int:
    if command == "stop":
        site.stop()
        return 0
    if command == "status":
        states = site.status() if (site.root / FACTS).is_file() else {}
        for unit, state in states.items():
            sys.stdout.write(f"{unit}: {state}\n")
        return 0 if states.get("cvd") == "active" else 1
    if command == "reset":
        site.reset()
        sys.stdout.write("The practice CVD is as it was delivered.\n")
    else:
        site.create()
    if command == "create":
        sys.stdout.write(f"The practice CVD is ready to be started in {site.root}\n")
        return 0
    site.start()
    sys.stdout.write(f"The practice CVD answers at {site.base_url}\n")
    return 0


def _default_root() -> Path:
    given = os.environ.get("CVDOPS_PRACTICE")
    return Path(given or Path(os.environ.get("CVDOPS_DATA_DIR") or _PROJECT / ".data") / "practice")


def _port(root: Path) -> int:
    """The one that was asked for, else the one it had, else the default."""
    given = os.environ.get("CVDOPS_PRACTICE_PORT", "")
    if given:
        return _number(given)
    try:
        url = json.loads((root / FACTS).read_text())["BASE_URL"]
        return int(url.rpartition(":")[2])
    except (OSError, ValueError, KeyError):
        return DEFAULT_PORT


def _number(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise SiteError(f"{text} is no port: name a number from 1024 to 65535.")
    return int(text)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cvdops.practice", description=__doc__)
    parser.add_argument("command", choices=("create", "start", "stop", "reset", "status"))
    parser.add_argument("--root", help="its folder; else CVDOPS_PRACTICE, else .data/practice")
    parser.add_argument("--port", help="else CVDOPS_PRACTICE_PORT, else the one it had")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
