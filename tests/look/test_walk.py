"""Every page and state: valid, accessible, within its width, and silent; each with its headers."""

import pytest

from tests.look.pages import Place, all_places
from tests.look.walk import Seen, Walk
from tests.web.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def seen(world: World, walk: Walk) -> dict[Place, Seen]:
    return {place: walk.see(place) for place in all_places(world)}


def test_each_answers_as_it_should(seen: dict[Place, Seen]) -> None:
    wrong = {str(p): [str(s.status)] for p, s in seen.items() if s.status != p.status}
    assert not wrong, told(wrong)


def test_none_has_a_finding_of_accessibility(seen: dict[Place, Seen]) -> None:
    found = {str(p): s.accessibility for p, s in seen.items() if s.accessibility}
    assert not found, told(found)


def test_the_parts_have_their_contrasts_in_the_dark_too(walk: Walk) -> None:
    assert walk.see_in_the_dark(Place("/styleguide/")) == []


@pytest.mark.faults
def test_none_has_a_finding_on_a_phone_in_the_dark(seen: dict[Place, Seen], walk: Walk) -> None:
    found = {str(place): walk.see_in_the_dark(place) for place in seen}
    assert not any(found.values()), told(found)


def test_none_is_wider_than_its_window(seen: dict[Place, Seen]) -> None:
    found = {str(p): s.wide for p, s in seen.items() if s.wide}
    assert not found, told(found)


def test_none_breaks_the_policy_or_writes_to_the_console(seen: dict[Place, Seen]) -> None:
    found = {str(p): s.noticed for p, s in seen.items() if s.noticed}
    assert not found, told(found)


def test_each_is_valid_html(seen: dict[Place, Seen]) -> None:
    found = {str(p): s.validity for p, s in seen.items() if s.validity}
    assert not found, told(found)


def test_each_has_its_headers(seen: dict[Place, Seen]) -> None:
    found = {str(p): missing(s.headers) for p, s in seen.items() if missing(s.headers)}
    assert not found, told(found)


def told(found: dict[str, list[str]]) -> str:
    """All of it, a place after the other."""
    return "\n".join(f"{where}: {'; '.join(what)}" for where, what in found.items() if what)


def missing(headers: dict[str, str]) -> list[str]:
    """What a page does not say, or says and should not."""
    policy = headers.get("content-security-policy", "")
    said = {
        "policy": "script-src 'self'" in policy and "frame-ancestors 'none'" in policy,
        "nothing unsafe": "unsafe" not in policy,
        "nosniff": headers.get("x-content-type-options") == "nosniff",
        "referrer": headers.get("referrer-policy") == "same-origin",
        "permissions": "camera=()" in headers.get("permissions-policy", ""),
        "opener": headers.get("cross-origin-opener-policy") == "same-origin",
        "frames": headers.get("x-frame-options") == "DENY",
        "not kept": headers.get("cache-control") == "no-store",
        "no banner": not {"server", "x-powered-by", "via"} & set(headers),
    }
    return [name for name, true in said.items() if not true]
