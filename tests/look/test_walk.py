"""Every page and state: valid, accessible, within its width, and silent; each with its headers.

Each is seen once, in one of two windows; in the other, and in all widths, by `make faults`.
"""

from itertools import cycle

import pytest

from tests.look.pages import Place, all_places
from tests.look.walk import DESK, PHONE, Look, Seen, Walk
from tests.web.world import World

pytestmark = pytest.mark.django_db


LOOKS = (DESK, PHONE)


@pytest.fixture(scope="module")
def looks(world: World) -> dict[Place, Look]:
    """Which window shows each: one a desk in the light, the next a phone in the dark."""
    return dict(zip(all_places(world), cycle(LOOKS), strict=False))


@pytest.fixture(scope="module")
def seen(looks: dict[Place, Look], walk: Walk) -> dict[Place, Seen]:
    order = sorted(looks, key=lambda place: LOOKS.index(looks[place]))  # to turn it seldom
    return {place: walk.see(place, looks[place]) for place in order}


def test_each_answers_as_it_should(seen: dict[Place, Seen]) -> None:
    wrong = {str(p): [str(s.status)] for p, s in seen.items() if s.status != p.status}
    assert not wrong, told(wrong)


def test_none_has_a_finding_of_accessibility(seen: dict[Place, Seen]) -> None:
    found = {str(p): s.accessibility for p, s in seen.items() if s.accessibility}
    assert not found, told(found)


def test_the_parts_have_their_contrasts_in_both(walk: Walk) -> None:
    assert [walk.see_again(Place("/styleguide/"), look) for look in LOOKS] == [[], []]


@pytest.mark.faults
def test_none_has_a_finding_in_the_other_window(looks: dict[Place, Look], walk: Walk) -> None:
    found = {}
    for place, look in looks.items():
        other = walk.see(place, next(one for one in LOOKS if one != look))
        found[str(place)] = other.accessibility + walk.see_again(place, look)
    assert not any(found.values()), told(found)


def test_none_is_wider_than_its_window(seen: dict[Place, Seen]) -> None:
    found = {str(p): s.wide for p, s in seen.items() if s.wide}
    assert not found, told(found)


@pytest.mark.parametrize("address", ["/runbooks/", "/runbooks/deployment/run/?procedure=release"])
def test_nothing_that_has_the_focus_is_behind_the_bar(address: str, walk: Walk) -> None:
    assert walk.behind(Place(address)) == []


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
