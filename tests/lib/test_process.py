"""A process that holds secrets is closed to others."""

import subprocess
import sys

SCRIPT = """
import ctypes, resource
from cvdops.lib.process import close_to_others
close_to_others()
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE))
"""


def test_it_leaves_no_core_and_nobody_may_look_into_it() -> None:
    said = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, check=True)
    assert said.stdout.decode() == "0 (0, 0)\n"
