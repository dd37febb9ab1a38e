"""Another site in the same browser: nothing of the portal changes, and none of its pages is framed (S10)."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.db import connection
from django.urls import reverse
from playwright.sync_api import Browser, Page
from psycopg import sql

from tests.look.pages import in_order, naming
from tests.look.walk import Walk
from tests.web.access_table import TABLE
from tests.web.world import World

pytestmark = pytest.mark.django_db

Aim = tuple[str, list[tuple[str, str]], str]  # address, fields of a form, JSON

# All that a page of another origin can send without being asked first, and some that it may not: to each
# address everything, or the first and two of the others, in turn.
ATTACK = """async ([portal, targets, everything]) => {
  const send = (url, options) => fetch(portal + url,
    {credentials: "include", signal: AbortSignal.timeout(60_000), ...options}).catch(said);
  const said = error => {
    if (error.name === "TimeoutError") throw new Error("no answer within 60 s to what was sent");
  };
  const simple = {mode: "no-cors", method: "POST"};
  const htmx = {"HX-Request": "true"};
  const ways = [
    (url, form) => send(url, {...simple, body: new URLSearchParams(form)}),
    (url, form, body) => send(url, {...simple, body, headers: {"Content-Type": "text/plain"}}),
    (url, form) => send(url, {...simple, body: new URLSearchParams(form), referrerPolicy: "no-referrer"}),
    url => send(url, {mode: "no-cors"}),
    (url, form, body) => send(url, {method: "POST", body, headers: {"Content-Type": "application/json"}}),
    (url, form) => send(url, {...simple, mode: "cors", body: new URLSearchParams(form), headers: htmx}),
    url => send(url, {method: "DELETE"}),
    (url, form, body) => send(url, {method: "PUT", body}),
    url => new Promise((done, fail) => {
      Object.assign(new Image(), {onload: done, onerror: done, src: portal + url});
      setTimeout(() => fail(new Error(`no answer to an image of ${url} within 60 s`)), 60_000);
    }),
  ];
  const [first, ...others] = ways;
  for (const [number, target] of targets.entries()) {
    const turn = [others[number % others.length], others[(number + 4) % others.length]];
    await Promise.all((everything ? ways : [first, ...turn]).map(way => way(...target)));
  }
}"""
STATE = """
SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
AND relname NOT IN ('accounts_session', 'audit_auditentry') ORDER BY relname
"""


class Elsewhere(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Win a prize</title>")

    def log_message(self, *_: object) -> None:
        """It says nothing."""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[int]:
    """The port of another site's server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture(params=[pytest.param("127.0.0.1", marks=pytest.mark.faults), "localhost"])
def page(
    request: pytest.FixtureRequest, browser: Browser, elsewhere: int, world: World, walk: Walk
) -> Iterator[Page]:
    """A page of another site, and one of the same site at another port, which gets the cookies too."""
    context = browser.new_context()
    context.set_default_timeout(120_000)
    session = world.client("operations-lead").cookies["sessionid"]
    cookie = {"name": "sessionid", "value": session.value, "domain": "localhost", "path": "/"}
    context.add_cookies([{**cookie, "httpOnly": True, "sameSite": "Lax"}])
    made = context.new_page()
    made.goto(f"http://{request.param}:{elsewhere}/")
    yield made
    context.close()


@pytest.fixture(scope="module")
def aims(world: World) -> list[Aim]:
    """Every address that changes something, with a form and a JSON that would do it."""
    found, named = [], naming(world)
    for name in in_order():
        row = TABLE[name]
        if row.post is None:
            continue
        address = reverse(name, kwargs=named(row.kwargs))
        body = named(row.body)
        form = [
            (key, str(one))
            for key, value in body.items()
            for one in (value if isinstance(value, list) else [value])
        ]
        found.append((address, form, json.dumps(body)))
    return found


def state() -> dict[str, str]:
    """A digest of each table; sessions tell when they were used, and the audit log what was refused."""
    with connection.cursor() as cursor:
        cursor.execute(STATE)
        digests = {}
        for (table,) in cursor.fetchall():
            one = sql.SQL("SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {} t")
            cursor.execute(one.format(sql.Identifier(table)))
            digests[table] = cursor.fetchone()[0]
    return digests


@pytest.mark.parametrize("everything", [False, pytest.param(True, marks=pytest.mark.faults)])
def test_nothing_changes_whatever_another_site_sends(
    everything: bool, page: Page, aims: list[Aim], walk: Walk
) -> None:
    before = state()
    page.evaluate(ATTACK, [walk.at("localhost"), aims, everything])
    assert state() == before


def test_no_page_is_framed(page: Page, walk: Walk) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    for address in ("/", "/login/", "/approvals/", "/nothing/"):
        said.clear()
        page.evaluate(
            "url => new Promise((done, fail) => { document.body.append(Object.assign("
            "document.createElement('iframe'), {src: url, onload: done}));"
            "setTimeout(() => fail(`no frame of ${url} within a minute`), 60_000) })",
            walk.at("localhost") + address,
        )
        assert "frame-ancestors" in " ".join(said), address
