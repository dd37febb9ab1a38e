"""What others may see of this process."""

import ctypes
import resource

_SET_DUMPABLE = 4


def close_to_others() -> None:
    """No core file; its memory and environment are closed also to programs of the same account: steps
    of this machine are such."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(_SET_DUMPABLE, 0, 0, 0, 0)
