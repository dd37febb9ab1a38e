"""Which addresses a name may lead to, and that it is looked up once."""

import threading
from ipaddress import ip_address

import pytest

from cvdops.runners.http import NotSent
from cvdops.runners.http.lookup import forbidden
from tests.http_server import HttpServer
from tests.runners.http.asking import Asker, TooLong

FORBIDDEN = [
    *(
        "127.0.0.1",
        "127.255.0.7",
        "0.0.0.0",  # noqa: S104
        "0.1.2.3",
        "255.255.255.255",
        "224.0.0.1",
        "240.0.0.1",
    ),
    *("169.254.169.254", "169.254.0.1", "100.100.100.200", "168.63.129.16"),
    *("::1", "::", "fe80::1", "ff02::1", "fd00:ec2::254"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::7f00:1"),
    *("64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::"),
    "2001:0:7f00:1::",
]
ORDINARY = ["10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "fd12::1", "8.8.8.8", "2606::1"]


@pytest.mark.parametrize("ip", FORBIDDEN)
def test_no_name_leads_to(ip: str) -> None:
    with pytest.raises(NotSent, match=r"inside.example is .* no name may lead"):
        Asker(lookup=lambda host, port: ["10.0.0.1", ip]).ask("GET http://inside.example/")


@pytest.mark.parametrize("ip", ORDINARY)
def test_a_name_may_lead_to(ip: str) -> None:
    assert forbidden(ip_address(ip)) == ""


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost.", "LOCALHOST.", "0"]
)
def test_odd_spellings_of_this_machine_are_names(host: str) -> None:
    """Listed, as whatever administrator would: the system's resolver makes 127.0.0.1 of most."""
    with HttpServer() as server:
        with pytest.raises(NotSent):
            Asker().ask(f"GET http://{host}:{server.port}/")
        assert server.requests == []


def test_localhost_is_this_machine() -> None:
    with HttpServer() as server:
        assert Asker().ask(f"GET http://localhost:{server.port}/").status == 200


def test_an_address_is_not_looked_up() -> None:
    def lookup(host: str, port: int) -> list[str]:
        raise AssertionError(host)

    with HttpServer() as server:
        assert Asker(lookup=lookup).ask(f"GET {server.url}").status == 200
    with HttpServer(host="::1") as server:
        assert Asker(lookup=lookup).ask(f"GET http://[::1]:{server.port}/").status == 200


def test_a_name_that_changes_its_address_is_of_no_use() -> None:
    """DNS rebinding: the first answer is harmless, the second one would not be."""
    asked = []

    def lookup(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["192.0.2.1"] if len(asked) == 1 else ["127.0.0.1"]

    with HttpServer() as server:
        with pytest.raises((NotSent, TooLong)):
            Asker(lookup, seconds=0.3).ask(f"GET http://inside.example:{server.port}/")
        assert server.requests == []
    assert asked == ["inside.example"]


@pytest.mark.parametrize("found", [[], ["nonsense"], OSError("no"), UnicodeError("no")])
def test_a_name_without_an_address(found: list[str] | Exception) -> None:
    def lookup(host: str, port: int) -> list[str]:
        if isinstance(found, Exception):
            raise found
        return found

    with pytest.raises(NotSent, match=r"inside\.example"):
        Asker(lookup=lookup).ask("GET http://inside.example/")


def test_a_resolver_that_hangs_is_left() -> None:
    never = threading.Event()

    def lookup(host: str, port: int) -> list[str]:
        never.wait(60)
        return []

    asker = Asker(lookup, seconds=0.2)
    with pytest.raises(TooLong):
        asker.ask("GET http://inside.example/")
    never.set()
    assert not asker.sent
