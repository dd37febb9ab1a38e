"""Recording what a step writes: masked and stored as it comes, and of a flood its head and its tail.

Of a step that writes more than its limit, seven eighths are stored as they come. From then on the
newest eighth waits in the spool file until the step is over; of what falls out of it a little is stored
now and then, below a line that says how much was left out.
"""

import hashlib
import time
from dataclasses import dataclass, field
from uuid import UUID

from cvdops.executions import output
from cvdops.executions.hints import announce
from cvdops.executions.transitions import Hand
from cvdops.lib.failpoints import failpoint
from cvdops.lib.redaction import Masker
from cvdops.lib.text import complete_utf8
from cvdops.runners.job import NEVER, Handle

SEGMENT = 1 << 20  # pending bytes that are stored at once; read no more than this before storing
TURN = 8 << 20  # bytes after which the watcher looks whether the step is to be stopped
PAUSE = 0.05  # seconds between two segments of a stream that goes on

COUNTED = 1 << 20  # bytes: only who writes more asks how much the execution has written in all
SAMPLE = 2 << 10  # bytes of what is left out that are shown all the same
SAMPLED, RARELY = 1.0, 15.0  # seconds between two samples, at first and later
LINE = 4 << 10  # bytes in which the beginning of a line is looked for

HELD = (
    "\n⋯ More than {:,} bytes of output: the newest follow when the step is over, and what does not "
    "fit is left out. ⋯\n"
)
LEFT_OUT = "\n⋯ {:,} bytes of output were left out here. ⋯\n"
SHORT = "\n⋯ What it wrote after this could not be stored on its host: is the disk there full? ⋯\n"


@dataclass(slots=True)
class Recorder:
    """Stores the output of one attempt. `source` counts the spool file's bytes, `offset` the stored ones."""

    hand: Hand
    attempt: UUID
    masker: Masker
    limit: int  # bytes that are stored, or a little more
    quota: int  # the same for all attempts of the execution together
    offset: int = 0
    source: int = 0  # of the spool file, read or left out
    newest: int | None = None  # where the last piece that was stored begins
    short: bool = False  # its host could not store all that it wrote
    _pending: bytearray = field(default_factory=bytearray)
    _counted_at: int = COUNTED  # the size at which the others' output is counted next
    _stored_at: float = 0.0
    _full_since: float = 0.0
    _sampled_at: float = 0.0
    _told: bool = False  # that it is short
    _hash: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def resume(self) -> None:
        """Go on where the stored output of this attempt ends."""
        for segment in output.segments(self.attempt):
            plain = output.plain(segment)
            self._hash.update(plain)
            self._told = plain.endswith(SHORT.encode())
            self.newest = segment.offset
            self.offset = segment.offset + segment.length
            self.source = segment.source_end

    def drain(self, handle: Handle, *, over: bool = False) -> bool:
        """Take what the step has written so far and store it when it is time to. Raises Superseded.

        `over`: it will write no more. Then false means that the host did not give all of it.
        """
        if not over:
            self._take(handle, self.source + TURN)
            if self._full:
                self._sample(handle)
            elif self.due <= 0:
                self.store()
            return True
        end = handle.size
        self._take(handle, end)
        begin = end - max(self.limit - self.offset, self._tail // 2)
        if self._full and self._beyond(begin) and not self._leave_out(handle, begin):
            return handle.lost is None
        self._copy(handle, end)
        self.short = handle.short
        return self.source >= end or handle.lost is None

    @property
    def awaited(self) -> int:
        """Whoever waits for output is not needed before there is more of it than this."""
        return NEVER if self._full else self.source

    @property
    def due(self) -> float:
        """Seconds until something should be stored; 0 for now, infinite for nothing."""
        now = time.monotonic()
        if self._full:
            if self.offset > self.limit - self._tail // 2:
                return float("inf")  # the rest is for the tail
            pause = min(max(SAMPLED, (self._sampled_at - self._full_since) / 60), RARELY)
            return max(0.0, self._sampled_at + pause - now)
        if not self._pending:
            return float("inf")
        if len(self._pending) >= SEGMENT:
            return 0.0
        return max(0.0, self._stored_at + PAUSE - now)

    @property
    def digest(self) -> str:
        """SHA-256 of all that is stored, in hex: the output masked, with what is said about its gaps."""
        return self._hash.hexdigest()

    def feed(self, raw: bytes) -> None:
        """Take the next bytes of the output."""
        self.source += len(raw)
        self._pending += self.masker.feed(raw)

    def store(self, *, durable: bool = False) -> None:
        """Store what is pending up to the last whole character. Raises Superseded."""
        whole = complete_utf8(bytes(self._pending))
        if whole:
            begun = len(self._pending) - len(whole)
            self._insert(whole, held=begun + self.masker.held, durable=durable)
            del self._pending[: len(whole)]

    def finish(self, *, cut: bool = False) -> None:
        """Store everything that is left: no more will come. `cut`: the step may have been in the middle."""
        self._pending += self.masker.cut() if cut else self.masker.flush()
        if self.short and not self._told:
            self._pending += SHORT.encode()
        if self._pending:
            self._insert(bytes(self._pending), held=0)
            self._pending.clear()

    @property
    def _tail(self) -> int:
        return self.limit // 8

    @property
    def _settled(self) -> int:
        """Bytes of the spool file that are stored or left out; right after `store`."""
        return self.source - self.masker.held - len(self._pending)

    @property
    def _head(self) -> int:
        """Bytes that are still missing in the head."""
        return self.limit - self._tail - self.offset - len(self._pending)

    @property
    def _full(self) -> bool:
        return self._head <= 0

    def _ration(self) -> None:
        """Take less where the attempts of the execution have written very much together."""
        if self.offset >= self._counted_at:
            self._counted_at = 2 * self.offset
            others = output.written(self.hand.execution) - self.offset
            self.limit = min(self.limit, max(self.quota - others, self.quota // 128))

    def _take(self, handle: Handle, end: int) -> None:
        """Everything up to this byte of the spool file that belongs to the head."""
        while not self._full and self._read(handle, min(end, self.source + self._head)):
            if self.due <= 0:
                self.store()
                failpoint("output.stored")

    def _copy(self, handle: Handle, end: int) -> None:
        """Everything up to this byte of the spool file."""
        while self._read(handle, end):
            if len(self._pending) >= SEGMENT:
                self.store()

    def _read(self, handle: Handle, end: int) -> bool:
        raw = handle.read(self.source, min(SEGMENT, max(0, end - self.source)))
        self.feed(raw)
        return bool(raw)

    def _sample(self, handle: Handle) -> None:
        """Store a little of what has fallen out of the tail; the target may give back its room."""
        self.store()
        if not self._full_since:
            self._full_since = self._sampled_at = time.monotonic()
        if self.due > 0:
            return
        first, self._sampled_at = self._sampled_at == self._full_since, time.monotonic()
        end = handle.size - self._tail
        if self._beyond(end - SAMPLE) and self._leave_out(handle, end - SAMPLE):
            self._copy(handle, end)
            self.store(durable=True)  # and all before it: what is given back is not read again
            handle.give_back(self._settled)
        elif first and handle.size > self.source and not self._pending:
            self._pending += HELD.format(self.offset).encode()
            self.store()

    def _beyond(self, begin: int) -> bool:
        """Whether so much lies before this byte of the spool file that it can be left out."""
        return begin - self.masker.reach > self.source

    def _leave_out(self, handle: Handle, begin: int) -> bool:
        """Go on at the line that begins near this byte of the spool file, and say how much is left out.

        False if the host does not give what is there.
        """
        reach = self.masker.reach
        around = _exactly(handle, begin - reach, reach + LINE)
        if around is None:
            return False
        line = around.find(b"\n", reach) + 1 or reach
        self.store()
        seen = self._settled
        self._pending.clear()  # a character that had only begun
        self.masker.jump(around[line - reach : line])
        self.source = begin - reach + line
        self._pending += LEFT_OUT.format(self._settled - seen).encode()
        return True

    def _insert(self, data: bytes, held: int, *, durable: bool = False) -> None:
        seq = output.append(
            self.hand,
            self.attempt,
            self.offset,
            self.source - held,
            data,
            before=self.newest,
            durable=durable,
        )
        self.newest = self.offset
        self._hash.update(data)
        self.offset += len(data)
        self._stored_at = time.monotonic()
        announce(self.hand.execution, seq)
        self._ration()


def _exactly(handle: Handle, offset: int, length: int) -> bytes | None:
    """So many bytes of the spool file; None if the host does not give them."""
    found = b""
    while len(found) < length:
        more = handle.read(offset + len(found), length - len(found))
        if not more:
            return None
        found += more
    return found
