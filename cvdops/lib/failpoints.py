"""Named places at which a test may end the process: `CVDOPS_FAILPOINT=name` or `name:nth`.

Each stands at a commit or a send of the engine. With the variable unset they do nothing.
"""

import os

_spec = os.environ.get("CVDOPS_FAILPOINT", "")
_name, _, _nth = _spec.partition(":")
_left = int(_nth or 1) if _name else 0


def failpoint(name: str) -> None:
    """End the process at once, as kill -9 would, if this is the place that was asked for."""
    if _name and name == _name:
        global _left
        _left -= 1
        if _left == 0:
            os._exit(9)
