"""The stand-in for nginx: a reverse proxy in front of the application, on the port after its own."""

import http.client
import os
import signal
import socket
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType

_HOP_BY_HOP = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "server",
        "date",
    ]
)
_LARGEST = 1_000_000


class Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 15
    upstream = 0

    def version_string(self) -> str:
        return "nginx"

    def forward(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > _LARGEST:
            self.close_connection = True
            self.send_error(413)
            return
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP_BY_HOP}
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=30)
        try:
            connection.request(self.command, self.path, self.rfile.read(length), headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            self.send_error(502)
        else:
            self._pass_on(answer, body)
        finally:
            connection.close()

    do_GET = do_HEAD = do_POST = forward  # noqa: N815 (http.server finds them by these names)

    def _pass_on(self, answer: http.client.HTTPResponse, body: bytes) -> None:
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """The application keeps the access log."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        # HTTPServer's own asks the name service for this machine's name, which may take seconds.
        socketserver.TCPServer.server_bind(self)


def _listen(port: int) -> Server:
    """On this port; on any free one if it is taken, because nobody depends on it."""
    try:
        return Server(("127.0.0.1", port), Proxy)
    except (OSError, OverflowError):
        return Server(("127.0.0.1", 0), Proxy)


def main(_root: str, arguments: list[str]) -> int:
    """`arguments`: the port of the application."""
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # a reader that goes away ends one request only
    Proxy.upstream = int(arguments[0])
    server = _listen(Proxy.upstream + 1)

    def stop(_number: int, _frame: FrameType | None) -> None:
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    sys.stdout.write(
        f"listening on 127.0.0.1:{server.server_address[1]}, upstream {Proxy.upstream}\n"
    )
    sys.stdout.flush()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1))
    server.serve_forever(poll_interval=0.05)
    server.server_close()
    return 0
