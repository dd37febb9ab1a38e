"""Who really asks: what a proxy says about it is believed if the proxy is one of ours, else taken away."""

from collections.abc import Callable
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

_CLAIMS = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST")


def believed(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Everything after this finds the true address in REMOTE_ADDR, or none."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        _settle(request)
        return get_response(request)

    return middleware


def _settle(request: HttpRequest) -> None:
    peer = request.META.get("REMOTE_ADDR") or ""
    if not _is_ours(peer):
        for claim in _CLAIMS:
            request.META.pop(claim, None)
        return
    # Each proxy adds at the end whom it heard; what came before the first that is not ours is hearsay.
    heard = [name.strip() for name in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    for name in reversed([name for name in heard if name]):
        if not _is_address(name):
            break
        request.META["REMOTE_ADDR"] = name
        if not _is_ours(name):
            break


def _is_ours(name: str) -> bool:
    return _is_address(name) and any(ip_address(name) in network for network in settings.PROXIES)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
