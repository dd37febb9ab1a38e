"""The host keys that people have confirmed, one file for the whole installation."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cvdops.runners import spool
from cvdops.runners.ssh.address import is_name
from cvdops.runners.ssh.client import KNOWN_HOSTS
from cvdops.runners.turns import turn

_TURN = 5.0  # seconds: a change takes milliseconds
_KIND = re.compile(r"[a-z0-9][a-z0-9@.-]{2,63}")


@dataclass(frozen=True, slots=True)
class HostKey:
    """A public key of a host. Raises ValueError if it is none."""

    kind: str  # ssh-ed25519, …
    key: str  # base64

    def __post_init__(self) -> None:
        try:
            blob = base64.b64decode(self.key, validate=True)
        except (binascii.Error, ValueError):
            blob = b""
        kind = self.kind.encode()
        if (
            not _KIND.fullmatch(self.kind)
            or blob[:4] + kind != _length(kind) + blob[4 : 4 + len(kind)]
        ):
            raise ValueError(f"This is not a host key of the kind {self.kind!r}.")

    @property
    def fingerprint(self) -> str:
        digest = hashlib.sha256(base64.b64decode(self.key)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


class KnownHosts:
    """Reads and changes the file; each change is whole or not at all, and raises OSError if it cannot be."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / KNOWN_HOSTS

    def keys(self, alias: str) -> tuple[HostKey, ...]:
        """The keys that are pinned for a host."""
        return tuple(key for name, key in read_entries(self._path) if name == alias)

    def add(self, alias: str, key: HostKey) -> None:
        self._change(alias, lambda keys: [*keys, *([] if key in keys else [key])])

    def replace(self, alias: str, keys: Iterable[HostKey]) -> None:
        """Exactly these from now on."""
        new = list(keys)
        self._change(alias, lambda _: new)

    def remove(self, alias: str) -> None:
        self._change(alias, lambda _: [])

    def _change(self, alias: str, change: Callable[[list[HostKey]], list[HostKey]]) -> None:
        if not is_name(alias):
            raise ValueError(f"{alias!r} cannot name a host key.")
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with turn(f"{self._path}.lock", _TURN):
            entries = list(read_entries(self._path))
            mine = change([key for name, key in entries if name == alias])
            others = [(name, key) for name, key in entries if name != alias]
            lines = [f"{n} {k.kind} {k.key}\n" for n, k in [*others, *((alias, k) for k in mine)]]
            spool.write(self._path, "".join(lines))


def read_entries(path: Path) -> Iterator[tuple[str, HostKey]]:
    """Names and keys of a file of known hosts; none if there is no file."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        match line.split():
            case [name, kind, key]:
                yield name, HostKey(kind, key)


def _length(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big")
