"""Server-sent events as bytes, and the positions that come back from clients. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

_LINE_ENDS = re.compile("\r\n|\r|\n")
_POSITION = re.compile("[0-9]{1,18}")

Data = Mapping[str, object]


def frame(event: str, data: Data, position: int | None = None) -> bytes:
    """One event. With a position it is what a client resumes after, so it comes last of its turn."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    # JSON has no line ends of its own; whatever data may become, a line end starts no other field.
    lines = "\n".join(f"data: {line}" for line in _LINE_ENDS.split(text))
    known = "" if position is None else f"id: {position}\n"
    return f"event: {event}\n{known}{lines}\n\n".encode("utf-8", "replace")


def beat(now: float) -> bytes:
    """What is sent while nothing happens: a comment for proxies, an event for the page's badge."""
    return b": still here\n" + frame("beat", {"now": now})


def retry(milliseconds: int) -> bytes:
    """After how long a browser comes back whose stream has ended."""
    return f"retry: {milliseconds}\n\n".encode()


@dataclass(frozen=True, slots=True)
class Start:
    """Where a stream begins; `reset`: the client's position means nothing, it has to read anew."""

    position: int
    reset: bool = False


def start(after: str | None, last_event_id: str | None, newest: int) -> Start:
    """The larger valid one of the two positions; without any, from now on."""
    given = [text for text in (after, last_event_id) if text is not None]
    if not given:
        return Start(newest)
    parsed = [int(text) for text in given if _POSITION.fullmatch(text)]
    valid = [position for position in parsed if position <= newest]
    return Start(max(valid)) if valid else Start(newest, reset=True)
