"""Named places at which a test may end the process: `CVDOPS_FAILPOINT=name`, `name:nth`, `*:nth` for any.

Each stands at a commit or a send of the engine. With the variable unset they do nothing.
"""

import os
from collections.abc import Callable

_name = ""
_left = 0


def _end() -> None:
    os._exit(9)


_act: Callable[[], None] = _end


def arm(spec: str, act: Callable[[], None] = _end) -> None:
    """End the process, or act, at the n-th time that a place of this name is reached; empty: never."""
    global _name, _left, _act
    _name, _, nth = spec.partition(":")
    _left, _act = int(nth or 1), act


def failpoint(name: str) -> None:
    """End the process at once, as kill -9 would, if this is the place that was asked for."""
    if _name and _name in (name, "*"):
        global _left
        _left -= 1
        if _left == 0:
            _act()


arm(os.environ.get("CVDOPS_FAILPOINT", ""))
