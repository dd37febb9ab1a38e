"""Ports of this machine at which nobody listens."""

import random
import socket
from itertools import cycle

# Below those that the system gives to whoever asks for any: between the look here and the start of a
# server none of them becomes the end of somebody's connection. Each process begins somewhere else.
_PORTS = range(10_000, 32_000, 2)
_turn = cycle(_PORTS)
for _ in range(random.SystemRandom().randrange(len(_PORTS))):
    next(_turn)


def free_port() -> int:
    """One that is free together with the next one, for which a practice CVD asks too; never given twice."""
    return next(port for port in _turn if _free(port) and _free(port + 1))


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
