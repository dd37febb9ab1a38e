"""Where a request goes: scheme, host and port, written in one way only."""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address

PORTS = {"http": 80, "https": 443}
_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?:(?P<host>[A-Z0-9._-]{1,253})|\[(?P<six>[0-9A-F:.]{2,45})\])"
    r"(?::(?P<port>[0-9]{1,5}))?",
    re.ASCII | re.IGNORECASE,
)


class OriginError(ValueError):
    """It is no address of a server. The text is a sentence that does not repeat it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """`host` in lower case, an IPv6 address without brackets and in its shortest form."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def address(self) -> str:
        """Host and port, as they are compared."""
        return address(self.host, self.port)

    @property
    def authority(self) -> str:
        """The same as it stands in an address: without the port that everybody knows."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def origin(text: str) -> Origin:
    """The origin that this text is, no more and no less. Raises OriginError."""
    match = _ORIGIN.fullmatch(text)
    if not match:
        raise OriginError("It has to be http:// or https://, a host and perhaps a port.")
    scheme = match["scheme"].lower()
    port = int(match["port"]) if match["port"] else PORTS[scheme]
    if not 1 <= port <= 65535:
        raise OriginError("A port is a number from 1 to 65535.")
    return Origin(scheme, _canonical(match["six"] or match["host"]), port)


def address(host: str, port: int) -> str:
    """Host and port in the one way in which they are compared."""
    host = _canonical(host)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _canonical(host: str) -> str:
    """What is no IPv6 address stays as it is, in lower case: it leads nowhere."""
    try:
        return IPv6Address(host).compressed
    except ValueError:
        return host.lower()
