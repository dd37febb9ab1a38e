"""One walk through all pages in Chromium, and what was noticed on the way."""

from dataclasses import dataclass, field
from typing import Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page

from tests.look.pages import Place
from tests.look.validity import faults
from tests.web.world import World

HEIGHT = 900
NARROW = 320  # px; what fits here is seldom too wide anywhere
BETWEEN = (768, 1024, 1280)  # where tables become cards, and lose what matters less
WIDTHS = (NARROW, 390, *BETWEEN, 1440, 2560)
TABLE = 'class="table fold'
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# No page has sound or film, for which alone the style sheets and media would be fetched once more.
QUICK = {"resultTypes": ["violations"], "preload": False}
RULES = {"runOnly": {"type": "tag", "values": TAGS}, **QUICK}
# What a scheme and a width can change.
AGAIN = {"runOnly": ["color-contrast", "target-size"], **QUICK}
# All that it has seen is much to send.
JUDGE = """async rules => (await axe.run(rules)).violations.flatMap(
  found => found.nodes.slice(0, 3).map(node => `${found.id}: ${node.html.slice(0, 160)}`))"""
WATCH = """
window.blocked = [];
document.addEventListener("securitypolicyviolation",
  e => window.blocked.push(`${e.violatedDirective}: ${e.blockedURI}`));
"""
WIDE = """() => {
  const width = document.documentElement.clientWidth;
  const cut = [...document.querySelectorAll(".card")].filter(e => e.scrollWidth > e.clientWidth + 1)
    .map(e => `cut ${e.className} ${e.textContent.trim().slice(0, 40)} ${e.scrollWidth} > ${e.clientWidth}`);
  if (document.documentElement.scrollWidth <= width) return cut;
  const wide = [...document.querySelectorAll("main *, nav *")].filter(e => {
    const box = e.getBoundingClientRect();
    return e.checkVisibility() && box.right > width + 1 && !e.closest(".scroll, pre, .term, .visually-hidden");
  });
  return wide.slice(0, 3).map(e => `${e.localName}.${e.className} ${e.textContent.trim().slice(0, 40)}`)
    .concat(document.documentElement.scrollWidth, cut);
}"""
BEHIND = """() => {
  const bar = document.querySelector(".nav").getBoundingClientRect().top;
  return [...document.querySelectorAll("main :is(a, button, input, select, summary)")].filter(e => {
    e.focus();
    return e === document.activeElement && e.getBoundingClientRect().bottom > bar;
  }).map(e => e.outerHTML.slice(0, 120));
}"""


@dataclass(frozen=True)
class Look:
    """A window of this width in px, in the light or in the dark."""

    width: int
    scheme: Literal["light", "dark"]


DESK, PHONE = Look(1440, "light"), Look(390, "dark")


@dataclass
class Seen:
    """What was noticed of one page; empty lists are good."""

    status: int
    headers: dict[str, str]
    html: str
    accessibility: list[str] = field(default_factory=list)
    wide: list[str] = field(default_factory=list)
    noticed: list[str] = field(default_factory=list)  # of the console, scripts, and the policy

    @property
    def validity(self) -> list[str]:
        return faults(self.html)


class Walk:
    """Remembers of each place what it saw there."""

    def __init__(self, browser: Browser, port: int, world: World) -> None:
        self._browser = browser
        self._port = port
        self._url = self.at("127.0.0.1")
        self._world = world
        self._pages: dict[str, Page] = {}
        self._inside: dict[str, CDPSession] = {}
        self._looks: dict[str, Look] = {}  # how each page is seen now
        self.noticed: list[str] = []

    def at(self, host: str) -> str:
        """The origin of the portal, under this name of the machine."""
        return f"http://{host}:{self._port}"

    def page(self, role: str) -> Page:
        """The browser of somebody with this role, in which everything wrong is noticed."""
        if role not in self._pages:
            page = self._context(role).new_page()
            page.on("console", lambda m: self.noticed.append(m.text) if _wrong(m.text) else None)
            page.on("pageerror", lambda error: self.noticed.append(str(error)))
            self._pages[role] = page
        return self._pages[role]

    @property
    def complaints(self) -> dict[str, list[str]]:
        """What was noticed since it was last cleared, under one heading."""
        return {"noticed": list(self.noticed)} if self.noticed else {}

    def _context(self, role: str) -> BrowserContext:
        context = self._browser.new_context(base_url=self._url, reduced_motion="reduce")
        context.set_default_timeout(60_000)
        context.add_init_script(WATCH)
        cookie = self._world.client(role).cookies.get("sessionid")
        if cookie:
            context.add_cookies([{"name": "sessionid", "value": cookie.value, "url": self._url}])
        return context

    def close(self) -> None:
        """Its streams end with it, for which the server waits."""
        for page in self._pages.values():
            page.context.close()

    def see(self, place: Place, look: Look) -> Seen:
        """Everything, as this window shows it; and whether it fits a narrow one, tables those between."""
        page = self._show(place.role, look)
        self.noticed.clear()
        answer = page.goto(place.address)
        assert answer is not None
        seen = Seen(answer.status, answer.headers, answer.text())
        seen.accessibility += self._judge(place.role, RULES)
        between = BETWEEN if TABLE in seen.html else ()
        seen.wide += self._wide(place.role, (look.width, *between, NARROW))
        seen.noticed = [*self.noticed, *page.evaluate("window.blocked")]
        return seen

    def see_again(self, place: Place, look: Look) -> list[str]:
        """What another window can change: contrasts, how large what is pressed is, and what fits."""
        self._show(place.role, look).goto(place.address)
        return [*self._judge(place.role, AGAIN), *self._wide(place.role, WIDTHS)]

    def behind(self, place: Place) -> list[str]:
        """What is behind the bar of a phone when it has the focus."""
        page = self._show(place.role, PHONE)
        page.goto(place.address)
        return list(page.evaluate(BEHIND))

    def _show(self, role: str, look: Look) -> Page:
        """Each change costs the browser as much as a small page."""
        page, now = self.page(role), self._looks.get(role)
        if now is None or now.width != look.width:
            page.set_viewport_size({"width": look.width, "height": HEIGHT})
        if now is None or now.scheme != look.scheme:
            page.emulate_media(color_scheme=look.scheme)
        self._looks[role] = look
        return page

    def _wide(self, role: str, widths: tuple[int, ...]) -> list[str]:
        found, scheme = [], self._looks[role].scheme
        for width in widths:
            page = self._show(role, Look(width, scheme))
            found += [f"{width} px: {what}" for what in page.evaluate(WIDE)]
        return found

    def _judge(self, role: str, rules: dict[str, object]) -> list[str]:
        """By what is put into the page directly: half a megabyte takes twice as long by way of its driver."""
        page = self.page(role)
        if role not in self._inside:
            self._inside[role] = page.context.new_cdp_session(page)
        self._inside[role].send("Runtime.evaluate", {"expression": f"{AXE_SCRIPT}; 0"})
        return list(page.evaluate(JUDGE, rules))


def _wrong(text: str) -> bool:
    return "Failed to load resource" not in text  # the status of the page itself is looked at
