"""A TCP proxy on this machine that can cut, freeze and slow the connections through it."""

import select
import socket
import struct
import threading
import time
from contextlib import suppress

_PIECE = 65536
_RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Forwards a port of its own to another port or socket of this machine, until it is closed."""

    def __init__(self, target: int | str) -> None:
        self.target = target
        self.delay = 0.0  # seconds that every piece waits
        self.cut_after: int | None = None  # bytes from the target until the connection is reset
        self._flowing = threading.Event()
        self._flowing.set()
        self._refusing = False
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def freeze(self) -> None:
        """Nothing passes any more, and nobody is told: a partition."""
        self._flowing.clear()

    def thaw(self) -> None:
        self._flowing.set()

    def cut(self, *, refuse: bool = False) -> None:
        """Reset all connections; with `refuse` also every new one until `mend`."""
        self._refusing = refuse
        for pair in list(self._pairs):
            self._drop(pair)

    def mend(self) -> None:
        self._refusing = False
        self.thaw()

    def close(self) -> None:
        self._listener.close()
        self.mend()
        self.cut(refuse=True)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            try:
                if self._refusing:
                    raise ConnectionRefusedError
                server = self._connect()
            except OSError:
                _reset(client)
                continue
            pair = (client, server)
            self._pairs.add(pair)
            for ends in (pair, pair[::-1]):
                threading.Thread(target=self._pump, args=(pair, *ends), daemon=True).start()

    def _connect(self) -> socket.socket:
        if isinstance(self.target, int):
            return socket.create_connection(("127.0.0.1", self.target))
        server = socket.socket(socket.AF_UNIX)
        server.connect(self.target)
        return server

    def _pump(
        self, pair: tuple[socket.socket, socket.socket], source: socket.socket, sink: socket.socket
    ) -> None:
        with suppress(OSError, ValueError):
            while data := self._piece(source):
                self._flowing.wait()
                if self.delay:
                    time.sleep(self.delay)
                if source is pair[1] and self.cut_after is not None:
                    data, self.cut_after = data[: self.cut_after], self.cut_after - len(data)
                    sink.sendall(data)
                    if self.cut_after <= 0:
                        self.cut_after = None
                        break
                else:
                    sink.sendall(data)
        self._drop(pair)

    def _piece(self, source: socket.socket) -> bytes:
        select.select([source], [], [])
        return source.recv(_PIECE)

    def _drop(self, pair: tuple[socket.socket, socket.socket]) -> None:
        self._pairs.discard(pair)
        for end in pair:
            _reset(end)


def _reset(end: socket.socket) -> None:
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)  # wakes who waits for it in another thread
    end.close()
