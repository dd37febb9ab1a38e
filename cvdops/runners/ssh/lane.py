"""One channel to a host, and the program at its other end: requests out, answers in, in order.

All that a worker does on a host goes over one such channel, so that neither the limit of sessions of an
SSH server (10 by default) nor the start of an `ssh` for each step counts.
"""

import fcntl
import os
import secrets
import select
import subprocess
import threading
import time
from collections import deque
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer
from contextlib import suppress

from cvdops.runners.ssh.address import Address
from cvdops.runners.ssh.answers import Answer, Decoder, Nonsense
from cvdops.runners.ssh.client import Client
from cvdops.runners.ssh.program import REMOTE, bootstrap

_LINE = 4000  # bytes of a request that are sent as a line; longer ones are sent with their length
_CHUNK = 1 << 18
_PIPE = (
    1 << 20
)  # bytes that `ssh` may be ahead: with the usual 64 KiB a flood takes half as long again
_COMPLAINT = 4096  # bytes of standard error that are kept
_LAST_WORDS = 1.0  # seconds in which an `ssh` that closed its output says why


class LaneLost(Exception):
    """The channel is over: it is not known whether what was asked last has been carried out."""

    def __init__(
        self,
        said: str = "",
        *,
        noise: str = "",
        nonsense: str = "",
        silent: bool = False,
        code: int | None = None,
    ) -> None:
        super().__init__(said or nonsense)
        self.said = said  # what OpenSSH or the login complained of
        self.noise = noise  # what the login printed instead of running the program
        self.nonsense = nonsense  # what was wrong with an answer
        self.silent = silent  # nothing came in time
        self.code = code  # of `ssh`: 255 if it failed itself, otherwise that of the login


class Lane:
    """Open from the start. Safe in threads."""

    def __init__(
        self, client: Client, address: Address, socket: str, root: str, timeout: float
    ) -> None:
        """Raises LaneLost."""
        hello = secrets.token_hex(16)
        self._decoder = Decoder(hello)
        self._pending: deque[Future[Answer]] = deque()
        self._outbox = bytearray()
        self._lock = threading.Lock()
        self._lost: LaneLost | None = None
        self._said = b""
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._ssh = subprocess.Popen(
            [*client.command(address, "-S", socket), REMOTE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=client.folder,
            env=client.environment,
            bufsize=0,
            start_new_session=True,
        )
        pipes = (self._ssh.stdin, self._ssh.stdout, self._ssh.stderr)
        self._in, self._out, self._err = (pipe.fileno() for pipe in pipes if pipe)
        os.set_blocking(self._in, False)
        with suppress(OSError):  # the account may have used up its room for pipes
            fcntl.fcntl(self._out, fcntl.F_SETPIPE_SZ, _PIPE)
        threading.Thread(target=self._run, name="ssh-lane", daemon=True).start()
        self.hello = self._exchange([bootstrap(hello, root)], timeout)[0]

    @property
    def pid(self) -> int:
        """Of the `ssh` process."""
        return self._ssh.pid

    @property
    def open(self) -> bool:
        return self._lost is None

    def ask(self, *requests: str, timeout: float) -> list[Answer]:
        """Answers in the same order; the time (seconds) is for all. Raises LaneLost."""
        return self._exchange([_framed(request) for request in requests], timeout)

    def tell(self, request: str) -> None:
        """Ask without waiting for the answer. Raises LaneLost."""
        self._send([_framed(request)])

    def close(self) -> None:
        self._end(LaneLost())

    def _exchange(self, requests: list[bytes], timeout: float) -> list[Answer]:
        answers = self._send(requests)
        deadline = time.monotonic() + timeout
        try:
            return [answer.result(max(0.0, deadline - time.monotonic())) for answer in answers]
        except NoAnswer:
            self._end(LaneLost(silent=True))
            raise LaneLost(silent=True) from None

    def _send(self, requests: list[bytes]) -> "list[Future[Answer]]":
        answers: list[Future[Answer]] = [Future() for _ in requests]
        with self._lock:
            if self._lost is not None:
                raise self._lost
            self._pending.extend(answers)
            self._outbox += b"".join(requests)
            self._write()
            if self._outbox:
                os.eventfd_write(self._wake, 1)
        return answers

    def _write(self) -> None:
        """As much as the pipe takes now; with the lock held."""
        with suppress(BlockingIOError, BrokenPipeError):  # an end is noticed where answers come
            del self._outbox[: os.write(self._in, self._outbox)]

    def _end(self, lost: LaneLost) -> None:
        with self._lock:
            self._lost = self._lost or lost
            pending, self._pending = self._pending, deque()
            if self._ssh.returncode is None:
                self._ssh.kill()  # its end wakes the thread, which cleans up
        for answer in pending:
            answer.set_exception(self._lost)

    def _run(self) -> None:
        try:
            lost = self._serve()
        except Nonsense as error:
            lost = LaneLost(nonsense=str(error))
        self._end(lost)
        with suppress(subprocess.TimeoutExpired):  # it was killed
            self._ssh.wait(_LAST_WORDS)
        with self._lock:  # nobody writes to what is closed here
            for pipe in (self._ssh.stdin, self._ssh.stdout, self._ssh.stderr):
                if pipe is not None:
                    pipe.close()
            os.close(self._wake)

    def _serve(self) -> LaneLost:
        """Move bytes until the channel ends. Raises Nonsense."""
        waiting = select.poll()
        for descriptor in (self._out, self._err, self._wake):
            waiting.register(descriptor, select.POLLIN)
        while True:
            ready = dict(waiting.poll())
            if self._wake in ready or self._in in ready:
                self._flush(waiting, self._wake in ready)
            if self._err in ready and not self._listen():
                waiting.unregister(self._err)
            if self._out in ready:
                data = os.read(self._out, _CHUNK)
                if not data:
                    said = self._last_words()
                    return LaneLost(said, noise=self._decoder.noise, code=self._code())
                self._resolve(data)

    def _flush(self, waiting: "select.poll", woken: bool) -> None:
        with self._lock:
            if woken:
                os.eventfd_read(self._wake)
            self._write()
            if self._outbox:
                waiting.register(self._in, select.POLLOUT)
            else:
                with suppress(KeyError):
                    waiting.unregister(self._in)

    def _resolve(self, data: bytes) -> None:
        for answer in self._decoder.feed(data):
            with self._lock:
                future = self._pending.popleft() if self._pending else None
            if future is None:
                raise Nonsense("it answers what nobody asked")
            future.set_result(answer)

    def _listen(self) -> bool:
        """Keep the beginning of what comes over standard error; false at its end."""
        data = os.read(self._err, _CHUNK)
        self._said = (self._said + data)[:_COMPLAINT]
        return bool(data)

    def _code(self) -> int | None:
        try:
            return self._ssh.wait(_LAST_WORDS)
        except subprocess.TimeoutExpired:
            return None

    def _last_words(self) -> str:
        waiting = select.poll()
        waiting.register(self._err, select.POLLIN)
        while waiting.poll(_LAST_WORDS * 1000) and self._listen():
            continue
        return self._said.decode(errors="replace")


def _framed(request: str) -> bytes:
    data = request.encode("utf-8", "surrogateescape")
    if len(data) > _LINE or not data.isascii() or b"\n" in data:
        return b"big %d\n%b" % (len(data), data)
    return data + b"\n"
