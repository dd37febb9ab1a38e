"""Hostile texts in every field, on every page: nothing runs, nothing is asked of anybody else (S13)."""

import pytest
from playwright.sync_api import Page

from cvdops.executions.models import Execution
from tests.live.output import attempt, write
from tests.look.pages import Place, all_places
from tests.look.planting import plant
from tests.look.vectors import ALL
from tests.look.walk import Walk
from tests.web.world import World

pytestmark = pytest.mark.django_db

# What a text would have to become in order to act; the portal's own pages have none of it.
ACTS = """() => [...document.querySelectorAll("*")].filter(e =>
  e.getAttributeNames().some(n => n.startsWith("on") || n.startsWith("data-hx-on"))
  || /^javascript:/i.test(e.href ?? "") || (e.localName === "img" && !e.src.includes("/static/"))
  || ["iframe", "object", "embed", "base", "marquee", "math", "video"].includes(e.localName)
  || (e.localName === "script" && !e.src.includes("/static/")) || e.localName === "style"
).map(e => e.outerHTML.slice(0, 200))"""


@pytest.fixture(scope="module")
def places(world: World) -> list[Place]:
    found = all_places(world)
    for execution in Execution.objects.order_by("pk")[:2]:
        step = execution.steps.order_by("position").first()
        assert step is not None
        lines = "\n".join(text.replace("\n", " ") for text in ALL)
        write(execution, attempt(execution, step.key), 0, lines.encode())
    return found


def found(page: Page, place: Place) -> list[str]:
    """What acted on this page, and whom it would have asked."""
    page.goto(place.address)
    ran = page.evaluate("window.ran ?? 0")
    return [*page.evaluate(ACTS), *page.evaluate("window.blocked"), *(["it ran"] if ran else [])]


def rendered(walk: Walk, places: list[Place]) -> dict[str, list[str]]:
    walk.noticed.clear()
    acted = {str(place): found(walk.page(place.role), place) for place in places}
    return {where: what for where, what in acted.items() if what} | walk.complaints


def test_there_are_three_hundred() -> None:
    assert len(ALL) >= 300


def test_texts_in_every_field_do_nothing(world: World, walk: Walk, places: list[Place]) -> None:
    assert plant(world) > 100
    assert rendered(walk, places) == {}


@pytest.mark.faults
@pytest.mark.parametrize("shift", range(23, len(ALL), 23))
def test_each_text_in_each_field_does_nothing(
    shift: int, world: World, walk: Walk, places: list[Place]
) -> None:
    plant(world, shift)
    assert rendered(walk, places) == {}
