"""From a host's name to addresses that it may have. Looked up once: what was judged is connected to."""

import select
import socket
import threading
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from cvdops.runners.http.trouble import NotSent, Wait

Ip = IPv4Address | IPv6Address
Lookup = Callable[[str, int], list[str]]

# Where clouds tell a machine its secrets, as far as no wider rule covers it.
_METADATA = frozenset(
    map(ip_address, ("169.254.169.254", "100.100.100.200", "168.63.129.16", "fd00:ec2::254"))
)
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))


def system_lookup(host: str, port: int) -> list[str]:
    """What the system's resolver says. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def addresses(host: str, port: int, lookup: Lookup, wait: Wait) -> list[Ip]:
    """The addresses of a host that is on the list. Raises NotSent if it may not have one of them.

    A host that is itself an address is that address; the list names it, whatever it is.
    """
    if (number := _number(host)) is not None:
        return [number]
    found = [ip for ip in map(_number, _looked_up(host, port, lookup, wait)) if ip is not None]
    if not found:
        raise NotSent(f"{host} has no address. Check the name.")
    for ip in found:
        if kind := forbidden(ip, loopback=host == "localhost"):
            raise NotSent(
                f"{host} is {ip}, {kind}, which no name may lead to. If that is meant, an "
                "administrator puts the address itself on the list, and the step names it."
            )
    return found


def forbidden(ip: Ip, *, loopback: bool = False) -> str:
    """What kind of address it is, if no name may lead there; empty for an ordinary or a private one."""
    for inner in (ip, *_inside(ip)):
        if inner.is_loopback and not loopback:
            return "this machine itself"
        if inner in _METADATA:
            return "where a cloud keeps a machine's secrets"
        if inner.is_link_local:
            return "a link-local address"
        if inner.is_multicast or inner.is_unspecified or _reserved(inner):
            return "no address of a server"
    return ""


def _reserved(ip: Ip) -> bool:
    if isinstance(ip, IPv4Address):
        return ip.is_reserved or ip.packed[0] == 0
    return ip.is_reserved and not any(ip in network for network in _NAT64) and not ip.is_loopback


def _inside(ip: Ip) -> Iterator[IPv4Address]:
    """The IPv4 addresses that an IPv6 address is another way of writing."""
    if isinstance(ip, IPv4Address):
        return
    if ip.ipv4_mapped:
        yield ip.ipv4_mapped
    if ip.sixtofour:
        yield ip.sixtofour
    if ip.teredo:
        yield from ip.teredo
    last = IPv4Address(ip.packed[-4:])
    if any(ip in network for network in _NAT64) or (not any(ip.packed[:12]) and int(last) > 1):
        yield last


def _number(text: str) -> Ip | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _looked_up(host: str, port: int, lookup: Lookup, wait: Wait) -> list[str]:
    """The resolver cannot be interrupted: it has a thread of its own, which is left when we give up."""
    answers: list[list[str] | OSError | UnicodeError] = []
    here, there = socket.socketpair()

    def look() -> None:
        with there:  # its end is what `wait` sees
            try:
                answers.append(lookup(host, port))
            except (OSError, UnicodeError) as error:
                answers.append(error)

    threading.Thread(target=look, name="lookup", daemon=True).start()
    with here:
        wait(here.fileno(), select.POLLIN)
    if not answers or isinstance(answers[0], Exception):
        raise NotSent(f"The name {host} cannot be resolved. Check it, and this machine's resolver.")
    return answers[0]
