"""S15: whatever a program writes, nothing but text and spans comes out, in a time linear in its size."""

import random
import re
import time

import pytest
from playwright.sync_api import Page, expect

from cvdops.executions.models import Execution
from cvdops.live.plain import plain
from cvdops.web.live.tail import newest_lines
from cvdops.web.live.terminal import Terminal
from tests.executions.scene import Scene
from tests.fuzz.targets import ESCAPES
from tests.live.chromium import open_page
from tests.live.output import attempt, write
from tests.live.test_pages import GATE, as_person
from tests.live.test_plain import shown
from tests.live.test_terminal import SAFE

ACTIVE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]")
PARTS = [
    *(text.encode() for text in ESCAPES if len(text) < 100),
    *(b"\x1b]8;;javascript:alert(1)\x1b\\", b"\x1b]52;c;cm0gLXJmIC8=\x07", b"\x1b]0;title\x07"),
    *(b"\x1b]1337;File=inline=1:AAAA\x07", b"\x1b[38;5;", b"\x1b[48;2;1;2;3m", b"\x1b[?1049h"),
    *(b"\xc2\x9b31m", b"\xc2\x9d0;x\xc2\x9c", b"\x9b1m", b"\xe2\x80", b"\xf0\x9f", b"\xff"),
    *("\u202e\u2066\u200b\u00ad".encode(), "аdmin".encode(), b"\x1bP1;2q", b"\x1b_G\x1b\\"),
    *(b"<img src=x onerror=alert(1)>", b"<script>alert(1)</script>", b"</span></li><b>", b"&lt;"),
    *(b"' onclick='alert(1)", b'" data-s="0', b"<!--", b"]]>", b"\r", b"\r\n", b"\n", b"text"),
]
ORDINARY = [
    b"a line of usual length, some eighty characters of text in it\n",
    b"\x1b[32mok\x1b[0m\n",
]


def sequence(chance: random.Random) -> bytes:
    return b"".join(chance.choices([*PARTS, chance.randbytes(4)], k=chance.randint(1, 30)))


def in_pieces(data: bytes, chance: random.Random) -> dict[int, str]:
    """What a screen shows that gets the bytes in pieces that are cut anywhere."""
    screen: dict[int, str] = {}
    terminal = Terminal()
    while data:
        size = chance.randint(1, 9)
        fresh, data = terminal.feed(data[:size]), data[size:]
        for start in [start for start in screen if fresh and start >= fresh[0].start]:
            del screen[start]
        screen |= {line.start: line.html for line in fresh}
    return screen


@pytest.mark.parametrize("number", [500, pytest.param(10_000, marks=pytest.mark.faults)])
def test_nothing_but_text_and_spans(number: int) -> None:
    chance = random.Random(15)  # noqa: S311
    for _ in range(number):
        data = sequence(chance) + b"\n"
        lines = [line.html for line in Terminal().feed(data)]
        for html in lines:
            assert SAFE.fullmatch(html), data
            assert not ACTIVE.search(html), data
        assert list(in_pieces(data, chance).values()) == lines, data
        assert plain(data).rstrip("\n") == shown(data).rstrip("\n"), data


@pytest.mark.faults
@pytest.mark.parametrize(
    "unit",
    [*ORDINARY, *PARTS, b"\x1b[" + b"9" * 300, b"\x1b]" + b"x" * 300, b"\x1b[1m\x1b[0m", b"x\r"],
)
def test_a_megabyte_takes_no_time(unit: bytes) -> None:
    """Ordinary output takes a fifth of a second at most; what was made to be slow, a few times that."""
    _, data = newest_lines(0, unit * ((1 << 20) // len(unit)), whole=True)
    for render in (Terminal().feed, plain):
        began = time.process_time()
        render(data)
        assert time.process_time() - began < (0.2 if unit in ORDINARY else 1.5), unit


def test_in_a_browser_nothing_of_it_acts(page: Page, execution: Execution) -> None:
    chance, first = random.Random(16), attempt(execution)  # noqa: S311
    data = b"\n".join(sequence(chance) for _ in range(300)) + b"\nthe end\n"
    half = len(data) // 2
    write(execution, first, 0, data[:half])
    open_page(page, execution)
    write(execution, first, half, data[half:])
    expect(page.locator("#lines li").last).to_have_text("the end")
    found = page.locator("#lines").evaluate(
        "e => [...e.querySelectorAll('*')].flatMap(n => [n.tagName, ...n.getAttributeNames()])"
    )
    assert set(found) <= {"LI", "SPAN", "class", "data-s"}


def test_an_approver_sees_the_escapes_of_a_command(scene: Scene) -> None:
    hidden = "echo safe \u202e; rm x \u2066 # \u200b"
    scene.runbook(GATE + f"#### Do\n```bash {{#do}}\n{hidden}\n```\n")
    request = scene.gate(scene.run())
    html = as_person(scene, "operations-manager").get(f"/approvals/{request.pk}/").content.decode()
    assert "⟨U+202E⟩" in html and "⟨U+2066⟩" in html and "⟨U+200B⟩" in html
    assert not ACTIVE.search(html.replace("\r\n", "\n").replace("\t", ""))
