"""A connection whose every wait can be given up: to an address, not to a name."""

import io
import os
import select
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress

from cvdops.runners.http.lookup import Ip
from cvdops.runners.http.trouble import Broken, NotSent, Wait
from cvdops.spec.origin import Origin

CONNECT = 10.0  # seconds for one of several addresses


class Wire(io.RawIOBase):
    """An open connection, with TLS if the origin asks for it."""

    def __init__(self, connection: socket.socket, wait: Wait) -> None:
        super().__init__()
        self._socket = connection
        self._wait = wait
        self.left: int | None = None  # bytes that may still be read; None: any number

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        self._wait(self._socket.fileno(), select.POLLIN, 0)  # asked even if there is always more
        while True:
            try:
                count = self._socket.recv_into(buffer)
            except (BlockingIOError, ssl.SSLWantReadError):
                self._wait(self._socket.fileno(), select.POLLIN)
            except ssl.SSLWantWriteError:
                self._wait(self._socket.fileno(), select.POLLOUT)
            else:
                return self._counted(count)

    def send(self, data: bytes) -> None:
        """Send all of it. Raises OSError."""
        rest, events = memoryview(data), select.POLLOUT
        while rest:
            self._wait(self._socket.fileno(), events)
            with suppress(BlockingIOError, ssl.SSLWantWriteError):
                events = select.POLLOUT
                try:
                    rest = rest[self._socket.send(rest) :]
                except ssl.SSLWantReadError:
                    events = select.POLLIN

    def close(self) -> None:
        super().close()
        self._socket.close()

    def makefile(self, *_args: object, **_options: object) -> io.BufferedReader:
        """What http.client asks of a socket."""
        return io.BufferedReader(self)

    def _counted(self, count: int) -> int:
        if self.left is not None:
            self.left -= count
            if self.left < 0:
                raise Broken("The head of its answer is too long.")
        return count


def connect(origin: Origin, addresses: Sequence[Ip], wait: Wait) -> Wire:
    """A connection to the first of the addresses that takes it. Raises NotSent."""
    why = ""
    for ip in addresses:
        family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            _open(connection, (str(ip), origin.port), wait, CONNECT if len(addresses) > 1 else None)
            secured = _secured(connection, origin, wait) if origin.scheme == "https" else connection
            return Wire(secured, wait)
        except ssl.SSLError as error:
            connection.close()
            raise NotSent(_distrust(origin, error)) from None
        except OSError as error:
            connection.close()
            why = f"{ip} port {origin.port}: {error.strerror or error}"
        except BaseException:
            connection.close()
            raise
    raise NotSent(f"{origin.address} cannot be reached ({why}).")


def _open(
    connection: socket.socket, address: tuple[str, int], wait: Wait, seconds: float | None
) -> None:
    connection.setblocking(False)
    with suppress(BlockingIOError):
        connection.connect(address)
    if not wait(connection.fileno(), select.POLLOUT, seconds):
        raise TimeoutError(f"no answer within {seconds:g} s")
    if error := connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise OSError(error, os.strerror(error))


def _secured(connection: socket.socket, origin: Origin, wait: Wait) -> ssl.SSLSocket:
    """TLS with the name of the origin, although the connection was made to an address."""
    secured = ssl.create_default_context().wrap_socket(
        connection, server_hostname=origin.host, do_handshake_on_connect=False
    )
    try:
        _shake_hands(secured, wait)
    except BaseException:
        secured.close()  # it has taken the descriptor over
        raise
    return secured


def _shake_hands(secured: ssl.SSLSocket, wait: Wait) -> None:
    while True:
        try:
            secured.do_handshake()
            return
        except ssl.SSLWantReadError:
            wait(secured.fileno(), select.POLLIN)
        except ssl.SSLWantWriteError:
            wait(secured.fileno(), select.POLLOUT)


def _distrust(origin: Origin, error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The certificate of {origin.address} is not accepted: {error.verify_message}."
    return f"{origin.address} does not speak TLS as it should ({error.reason})."
