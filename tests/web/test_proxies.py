"""The address in the audit log is the true one."""

from ipaddress import ip_network

import pytest
from django.test import Client
from pytest_django import Settings

from cvdops.audit.models import AuditEntry

pytestmark = pytest.mark.django_db


def seen(settings: Settings, proxies: str, claimed: str, peer: str = "10.0.0.7") -> str | None:
    """The address that is written down for a request from this peer with this claim."""
    settings.PROXIES = [ip_network(name) for name in proxies.split()]
    form = {"username": "dana", "password": "wrong"}
    Client(REMOTE_ADDR=peer).post("/login/", form, headers={"x-forwarded-for": claimed})
    return AuditEntry.objects.get().address


@pytest.mark.parametrize(
    ("proxies", "claimed", "true"),
    [
        ("", "203.0.113.9", "10.0.0.7"),
        ("10.0.0.8", "203.0.113.9", "10.0.0.7"),
        ("10.0.0.7", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.0/8", "198.51.100.1, 203.0.113.9, 10.0.0.6", "203.0.113.9"),
        ("10.0.0.7", "203.0.113.9, nonsense", "10.0.0.7"),
        ("10.0.0.7", "1.1.1.1:99", "10.0.0.7"),
        ("10.0.0.7", "", "10.0.0.7"),
        ("10.0.0.7", "2001:db8::1", "2001:db8::1"),
    ],
)
def test_only_our_proxies_are_believed(
    settings: Settings, proxies: str, claimed: str, true: str
) -> None:
    assert seen(settings, proxies, claimed) == true


def test_ten_thousand_claims_are_read_quickly(settings: Settings) -> None:
    assert seen(settings, "10.0.0.0/8", ", ".join(["10.0.0.6"] * 10_000)) == "10.0.0.6"


def test_nobody_else_says_that_they_came_over_tls(settings: Settings) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_SSL_REDIRECT = True
    settings.PROXIES = [ip_network("10.0.0.7")]
    headers = {"x-forwarded-proto": "https"}
    ours, other = Client(REMOTE_ADDR="10.0.0.7"), Client(REMOTE_ADDR="10.0.0.9")
    assert ours.get("/login/", headers=headers).status_code == 200
    assert other.get("/login/", headers=headers).status_code == 301
