"""One walk through all pages in Chromium, and what was noticed on the way."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from tests.look.pages import Place
from tests.look.validity import faults
from tests.web.world import World

WIDTHS = (320, 390, 1440, 2560)
HEIGHT = 900
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RULES = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
# What a scheme and a width can change.
AGAIN = {"runOnly": ["color-contrast", "target-size"], "resultTypes": ["violations"]}
WATCH = """
window.blocked = [];
document.addEventListener("securitypolicyviolation",
  e => window.blocked.push(`${e.violatedDirective}: ${e.blockedURI}`));
"""
WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const wide = [...document.querySelectorAll("main *, nav *")].filter(e => {
    const box = e.getBoundingClientRect();
    return box.width && box.right > width + 1 && !e.closest(".scroll, pre, .term, .visually-hidden");
  });
  return wide.slice(0, 3).map(e => `${e.localName}.${e.className} ${e.textContent.trim().slice(0, 40)}`)
    .concat(document.documentElement.scrollWidth);
}"""


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
        self.noticed: list[str] = []
        self._axe = Axe()

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
        context = self._browser.new_context(base_url=self._url)
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

    def see(self, place: Place) -> Seen:
        """Everything, in the light."""
        page = self.page(place.role)
        page.set_viewport_size({"width": 1440, "height": HEIGHT})
        page.emulate_media(color_scheme="light")
        self.noticed.clear()
        answer = page.goto(place.address)
        assert answer is not None
        seen = Seen(answer.status, answer.headers, answer.text())
        seen.accessibility += self._judge(page, RULES)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": HEIGHT})
            seen.wide += [f"{width} px: {what}" for what in page.evaluate(WIDE)]
        seen.noticed = [*self.noticed, *page.evaluate("window.blocked")]
        return seen

    def see_in_the_dark(self, place: Place) -> list[str]:
        """What a phone in the dark can change: contrasts, and how large what is pressed is."""
        page = self.page(place.role)
        page.set_viewport_size({"width": 390, "height": HEIGHT})
        page.emulate_media(color_scheme="dark")
        page.goto(place.address)
        return self._judge(page, AGAIN)

    def _judge(self, page: Page, rules: dict[str, object]) -> list[str]:
        found = self._axe.run(page, options=rules).response["violations"]
        return list(_said(found))


def _wrong(text: str) -> bool:
    return "Failed to load resource" not in text  # the status of the page itself is looked at


def _said(violations: list[dict]) -> Iterator[str]:
    for violation in violations:
        for node in violation["nodes"][:3]:
            yield f"{violation['id']}: {node['html'][:160]}"
