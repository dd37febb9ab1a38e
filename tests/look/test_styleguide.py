"""The style guide shows every part that there is, and every colour."""

import re
from pathlib import Path

from django.test import Client

from cvdops.web.views.styleguide import COLOURS

CSS = Path("static/css")
# What scripts and states add, and a class of another part beside whose own it stands.
ADDED = {"htmx-request", "over", "away", "reach"}


def classes(css: str) -> set[str]:
    return set(
        re.findall(r"\.([a-z][a-z-]*)", re.sub(r"/\*.*?\*/|url\(.*?\)", "", css, flags=re.DOTALL))
    )


def test_every_part_is_on_it(client: Client, db: None) -> None:
    page = client.get("/styleguide/").content.decode()
    shown = {name for found in re.findall(r'class="([^"]*)"', page) for name in found.split()}
    assert classes((CSS / "components.css").read_text()) - shown - ADDED == set()


def test_who_is_not_logged_in_is_led_to_the_login_and_to_no_account(
    client: Client, db: None
) -> None:
    page = client.get("/styleguide/").content.decode()
    assert '<a href="/login/">Log in</a>' in page and 'href="/account/"' not in page


def test_every_colour_is_on_it() -> None:
    tokens = (CSS / "portal.css").read_text()
    named = set(re.findall(r"--([a-z-]+): light-dark", tokens))
    assert named - {"on-accent", "on-bad"} == set(COLOURS)


def test_colours_have_one_place() -> None:
    """But for output, which is dark in both schemes, and shadows."""
    found = {}
    for sheet in CSS.glob("*.css"):
        if sheet.name not in ("portal.css", "live.css"):
            coloured = re.findall(r"#[0-9a-f]{3,8}\b|rgb\((?!0 0 0)", sheet.read_text())
            found[sheet.name] = coloured
    assert {name: colours for name, colours in found.items() if colours} == {}
