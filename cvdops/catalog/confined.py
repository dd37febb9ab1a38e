"""Reads documents of strangers in a process of their own, which is ended when one asks too much.

A document gets 2 s of the processor, twice that where it is annotated too, and a bounded memory. One that
needs more has a study with the single diagnostic RB006 in place of its own.
"""

import pickle
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import BoundedSemaphore, Event, Timer
from types import TracebackType
from typing import IO, Any, Self, cast

from cvdops.catalog.reader import OUT_OF_MEMORY, SECONDS
from cvdops.lib.errors import UserError
from cvdops.spec import document
from cvdops.spec.parser import MAX_BYTES
from cvdops.spec.study import Study, unread

_COMMAND = [sys.executable, "-P", "-m", "cvdops.catalog.reader"]
_ENVIRONMENT = {"PYTHONPATH": str(Path(__file__).parents[2]), "LC_ALL": "C.UTF-8"}
_PATIENCE = 30.0  # seconds on the clock: the processor may be busy with other things
_TRIES = 2  # somebody may have ended the process for reasons of their own
_AT_ONCE = BoundedSemaphore(2)  # documents being read: each takes memory
_TOO_LONG = f"It takes longer than {SECONDS:.0f} s of the processor's time to read this document."
_TOO_MUCH = "It takes too much memory to read this document."
_BROKE = "The process that read this document ended before it was done."
_VERDICTS = {
    -signal.SIGPROF: _TOO_LONG,
    OUT_OF_MEMORY: _TOO_MUCH,
    -signal.SIGABRT: _TOO_MUCH,  # how the HTML cleaner says that there is no memory
}


class ReaderUnavailable(UserError):
    """No process could be started to read documents in."""

    code = "reader_unavailable"
    status = 503


def read(source: bytes, name: str, *, annotated: bool = False) -> Study:
    """The document in a file of this name. Raises ReaderUnavailable. Any thread may call it."""
    with Reader() as reader:
        return reader.read(source, name, annotated=annotated)


def read_all(documents: Iterable[tuple[bytes, str]]) -> Iterator[Study]:
    """The documents, each with the name of its file, by one process. Raises ReaderUnavailable."""
    with Reader() as reader:
        for source, name in documents:
            yield reader.read(source, name)


class Reader:
    """For several documents: the process starts with the first and ends with the block.

    Each thread has its own.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def read(self, source: bytes, name: str, *, annotated: bool = False) -> Study:
        """The document in a file of this name. Raises ReaderUnavailable."""
        today = datetime.now(UTC).date()
        request = pickle.dumps((source[: MAX_BYTES + 1], name, today, annotated))
        for _ in range(_TRIES):
            answer = self._ask(request)
            if isinstance(answer, Study):
                return answer
            if answer:
                return unread(name, answer)
        return unread(name, _BROKE)

    def _ask(self, request: bytes) -> Study | str:
        """The answer, or why there is none; empty if the process ended for no reason of its own."""
        with _AT_ONCE:
            process = self._process = self._process or _start()
            expired = Event()
            timer = Timer(_PATIENCE, _expire, (process, expired))
            timer.start()
            try:
                return _exchange(process, request)
            except (OSError, EOFError, pickle.UnpicklingError):
                status = self._end()
                return _TOO_LONG if expired.is_set() else _VERDICTS.get(status, "")
            finally:
                timer.cancel()

    def _end(self) -> int:
        """Ends the process; returns its exit status, which is its own if it had ended before."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.kill()
        status = process.wait()
        for pipe in filter(None, (process.stdin, process.stdout)):
            with suppress(OSError):  # what it did not read any more
                pipe.close()
        return status


def _start() -> subprocess.Popen[bytes]:
    """A new program and no fork: threads that hold locks do not matter to it."""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    try:
        return subprocess.Popen(_COMMAND, env=_ENVIRONMENT, cwd="/", **pipes)
    except OSError as error:
        message = f"No process could be started to read the document: {error.strerror}. Try again."
        raise ReaderUnavailable(message) from None


def _expire(process: subprocess.Popen[bytes], expired: Event) -> None:
    expired.set()
    process.kill()


def _exchange(process: subprocess.Popen[bytes], request: bytes) -> Study:
    """Raises OSError, EOFError or UnpicklingError when the process ends before it has answered."""
    requests, answers = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
    requests.write(request)
    requests.flush()
    answer: Study = _Answer(answers).load()
    return answer


class _Answer(pickle.Unpickler):
    """What comes from the process may hold the values of a study and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if module == document.__name__ and name in _VALUES:
            return getattr(document, name)
        if (module, name) == (Study.__module__, Study.__name__):
            return Study
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a study")


_VALUES = frozenset(
    name
    for name, value in vars(document).items()
    if isinstance(value, type) and value.__module__ == document.__name__
)
