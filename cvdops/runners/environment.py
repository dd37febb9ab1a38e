"""Which variables a process can be given."""

import os
import re

from cvdops.runners.job import StartFailed

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_LONGEST = 131071  # bytes of NAME=value
TOO_LARGE = (
    "The variables of the step are too large together for the system. Put large values into files."
)


def check_variable(name: str, value: str) -> None:
    """Raises StartFailed for one that no process can be given."""
    if not _NAME.fullmatch(name):
        raise StartFailed(f"{name!r} cannot be the name of a variable. Rename it, then retry.")
    if "\0" in value:
        raise StartFailed(f"The value of {name} contains a NUL byte. Remove it, then retry.")
    if len(name) + 1 + len(os.fsencode(value)) > _LONGEST:
        raise StartFailed(f"The value of {name} is longer than 128 KiB. Put it into a file.")
