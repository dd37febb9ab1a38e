"""How bytes leave for a client: one that does not take them any more is dropped, and comes back or not."""

import asyncio
import socket

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

STUCK = 20.0  # seconds for which a client may take nothing of what waits for it
UNSENT = 64 << 10  # bytes that the kernel keeps for a client beside those on their way


class Delivery(HttpToolsProtocol):
    """A connection of the web server. What waits for a client stays small, and not for ever."""

    _stuck: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if connection is not None and connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)

    def pause_writing(self) -> None:
        super().pause_writing()
        # Not closed: that would wait until the client has taken everything.
        self._stuck = self.loop.call_later(STUCK, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._forget()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _forget(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None
