"""What a person wrote into a form that was not accepted: said again, so that nobody types it twice."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

# The fields in which people write sentences. Values of variables are not among them: some are secret.
SENTENCES = {
    "comment": "Your comment",
    "text": "What you wrote",
    "reason": "Your reason",
    "note": "Your note",
    "review": "Your review",
    "emergency_reason": "Why it cannot wait",
    "short_notice": "Why nobody was told before",
}


@dataclass(frozen=True, slots=True)
class Written:
    label: str
    text: str


def written(request: HttpRequest) -> tuple[Written, ...]:
    """The sentences in the form that was sent; none if it sent none."""
    return tuple(_written(request))


def _written(request: HttpRequest) -> Iterator[Written]:
    if request.method == "POST":
        for name, label in SENTENCES.items():
            if text := request.POST.get(name, "").strip():
                yield Written(label, text)


def back(request: HttpRequest) -> str:
    """The page on which the form stood, if the browser told; else empty."""
    came_from = request.headers.get("Referer", "")
    own = {request.get_host()}
    safe = url_has_allowed_host_and_scheme(came_from, own, require_https=request.is_secure())
    return came_from if safe else ""
