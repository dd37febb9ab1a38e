"""Identifiers that sort by time."""

import os
import time
import uuid
from datetime import UTC, datetime

LAST = uuid.UUID(int=2**128 - 1)  # no id is greater


def uuid7() -> uuid.UUID:
    """A version 7 UUID (RFC 9562): 48 bits of Unix milliseconds, then random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (2**48 - 1)) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value)


def first_of(seconds: float) -> uuid.UUID:
    """What no version 7 UUID of this moment or a later one is less than; `seconds` since 1970."""
    milliseconds = min(max(int(seconds * 1000), 0), 2**48 - 1)
    return uuid.UUID(int=milliseconds << 80)


def made_at(identity: uuid.UUID) -> datetime:
    """When it was made, as it says itself."""
    return datetime.fromtimestamp((identity.int >> 80) / 1000, UTC)


def first_within(seconds: float) -> uuid.UUID:
    """The same of so long ago, to the minute: within one, what is read by it is read once."""
    return first_of(time.time() // 60 * 60 - seconds)
