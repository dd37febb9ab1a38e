"""Where a host is and who logs in there. Nothing else that a person types reaches OpenSSH."""

import ipaddress
import re
from dataclasses import dataclass

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_JUMP = re.compile(r"(?:(?P<user>[^@:]*)@)?(?P<host>\[[^]]*\]|[^@:]*)(?::(?P<port>[0-9]{1,5}))?")
_LONGEST_JUMP = 4  # hosts in between


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A host as OpenSSH needs it. What is empty, the account's SSH configuration decides.

    Raises ValueError, with a sentence that names the field.
    """

    alias: str  # stable identity of the host: its key is pinned under this name
    host: str  # name, IP address, or an alias of the SSH configuration
    name: str = ""  # how people call it, in sentences; default: `host`
    user: str = ""
    port: int | None = None
    key: str = ""  # name of a private key of this installation
    jump: str = ""  # [user@]host[:port], several separated by commas

    def __post_init__(self) -> None:
        _check("alias", self.alias, is_name(self.alias))
        _check("address", self.host, is_host(self.host))
        _check("user", self.user, not self.user or _USER.fullmatch(self.user) is not None)
        _check("port", str(self.port), self.port is None or 1 <= self.port <= 65535)
        _check("key", self.key, not self.key or is_name(self.key))
        _check("jump", self.jump, not self.jump or is_jump(self.jump))

    @property
    def label(self) -> str:
        return self.name or self.host


def is_name(text: str) -> bool:
    """Whether it can name a host key or a private key: never an option, never a path."""
    return _NAME.fullmatch(text) is not None


def is_host(text: str) -> bool:
    """Whether it is a host name, an alias, or an IP address."""
    if _HOST.fullmatch(text):
        return True
    try:
        return ipaddress.ip_address(text).version == 6 and "%" not in text
    except ValueError:
        return False


def is_jump(text: str) -> bool:
    """Whether it is a short list of hosts in between."""
    hops = text.split(",")
    return len(hops) <= _LONGEST_JUMP and all(map(_is_hop, hops))


def _is_hop(text: str) -> bool:
    match = _JUMP.fullmatch(text)
    if match is None:
        return False
    user, host, port = match.group("user", "host", "port")
    bare = host[1:-1] if host.startswith("[") else host
    return (
        is_host(bare)
        and (user is None or _USER.fullmatch(user) is not None)
        and (port is None or 1 <= int(port) <= 65535)
    )


def _check(field: str, value: str, good: bool) -> None:
    if not good:
        raise ValueError(f"{value!r} cannot be the {field} of a host reached over SSH.")
