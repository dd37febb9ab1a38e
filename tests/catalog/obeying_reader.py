"""A reader whose documents can ask it to misbehave, which the real one's cannot."""

import os
import signal
import time
from datetime import date

from cvdops.catalog import reader
from cvdops.spec.study import Study, study


def obeying(source: bytes, name: str, today: date, *, annotated: bool = False) -> Study:
    match source.split():
        case [b"spin"]:
            while True:
                pass
        case [b"sleep"]:
            time.sleep(600)
        case [b"eat"]:
            eaten = [bytes(1_000_000) for _ in range(1_000)]
            raise AssertionError(f"{len(eaten)} MB were to be had")
        case [b"die"]:
            os.kill(os.getpid(), signal.SIGKILL)
        case [b"tell"]:
            source = f"# {os.getpid()} {sorted(os.environ)}".encode()
    return study(source, name, today, annotated=annotated)


reader.study = obeying  # type: ignore[attr-defined]
reader.main()
