"""`manage.py` for a shell, loaded once: `python -m tests.e2e.loaded SOCKET` forks for each line.

To load the portal takes a second or two of processor time, for each of half a hundred lines. The forked
process has the streams, the folder and the environment of the one that asks, runs `manage.py` itself, and
tells its exit code.
"""

import json
import os
import runpy
import signal
import socket
import sys
from pathlib import Path

os.environ["DJANGO_SETTINGS_MODULE"] = "cvdops.settings"

import django

import cvdops.celery  # noqa: F401

django.setup()

from cvdops.stack.portal import PROJECT  # noqa: E402

LARGEST = 1 << 17  # bytes of arguments and environment


def main(address: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them here
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.bind(f"{address}.part")
        door.listen()
        Path(f"{address}.part").replace(address)  # whoever finds it may ask
        while True:
            asker, _ = door.accept()
            if os.fork() == 0:
                carry_out(asker)
            asker.close()


def carry_out(asker: socket.socket) -> None:
    """Become what was asked for, and end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    message, streams, _flags, _address = socket.recv_fds(asker, LARGEST, 3)
    asked = json.loads(message)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = ["manage.py", *asked["line"]]
    code = 1
    try:
        runpy.run_path(str(PROJECT / "manage.py"), run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        asker.send(str(code).encode())
        os._exit(code)


main(sys.argv[1])
