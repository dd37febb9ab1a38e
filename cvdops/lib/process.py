"""What others may see of this process, and how it handles its memory."""

import ctypes
import gc
import resource

_SET_DUMPABLE = 4


def close_to_others() -> None:
    """No core file; its memory and environment are closed also to programs of the same account: steps
    of this machine are such."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(_SET_DUMPABLE, 0, 0, 0, 0)


def settle() -> None:
    """After everything is loaded: no collection of garbage looks through that again, which would hold up
    all threads for a tenth of a second."""
    gc.collect()
    gc.freeze()


def release() -> None:
    """Give back to the system what is free: of many small pieces the allocator keeps all it ever had."""
    ctypes.CDLL(None).malloc_trim(0)
