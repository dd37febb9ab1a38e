"""Reading an output: parts of it, words looked for in all of it, links to lines, times, and files."""

import re

import pytest
from django.db.models.functions import Now
from django.test import Client

from cvdops.executions.models import Execution, StepAttempt
from cvdops.live import search as searching
from cvdops.live.search import search
from tests.executions.scene import Scene
from tests.live.output import attempt, write
from tests.live.test_pages import as_person, page
from tests.live.viewer import Visitor

LINES = 6_000
TEXT = "".join(f"line {n:05d} {'é' if n % 7 else 'needle'}\n" for n in range(1, LINES + 1)).encode()
SHOWN = re.compile(r'<li data-s="(\d+)"[^>]*>([^<]*)')


@pytest.fixture
def client(scene: Scene) -> Client:
    return as_person(scene, "developer")


@pytest.fixture
def written(execution: Execution) -> Execution:
    """6,000 lines, stored in pieces that end anywhere."""
    first = attempt(execution)
    for offset in range(0, len(TEXT), 50_001):
        write(execution, first, offset, TEXT[offset : offset + 50_001])
    return execution


def lines(client: Client, execution: Execution, **query: object) -> dict[str, object]:
    answer = client.get(f"/executions/{execution.pk}/steps/first/lines/", query)
    assert answer.status_code == 200
    return answer.json()


def numbers(part: dict[str, object]) -> list[int]:
    return [int(text.split()[1]) for _, text in SHOWN.findall(str(part["html"]))]


def test_the_newest_lines_come_first_and_older_ones_before_them(
    client: Client, written: Execution
) -> None:
    part, seen = lines(client, written), []
    while True:
        seen = numbers(part) + seen
        assert part["first"] == seen[0]
        if part["begin"] == part["oldest"]:
            break
        part = lines(client, written, before=part["begin"])
    assert seen == list(range(1, LINES + 1))


def test_newer_ones_follow(client: Client, written: Execution) -> None:
    part = lines(client, written, after=0)
    seen = numbers(part)
    while part["end"] < part["size"]:
        part = lines(client, written, after=part["end"])
        seen += numbers(part)
    assert seen == list(range(1, LINES + 1))


def test_a_line_is_shown_among_those_before_and_after_it(
    client: Client, written: Execution
) -> None:
    start = TEXT.index(b"line 03000")
    for byte in (start, start + 5):
        part = lines(client, written, at=byte)
        assert f'<li data-s="{start}" id=at aria-current=true>line 03000' in str(part["html"])
        assert numbers(part)[0] == 2_800


@pytest.mark.parametrize("place", ["-1", "x", "9" * 15, "9" * 40, "1.5", "", "0x1"])
@pytest.mark.parametrize("name", ["at", "before", "after"])
def test_a_place_that_is_none_is_answered(
    client: Client, execution: Execution, name: str, place: str
) -> None:
    write(execution, attempt(execution), 0, b"one\ntwo\n")
    lines(client, execution, **{name: place})
    page(client, execution, f"?step=first&{name}={place}")


def test_colours_go_on_over_the_border_of_a_part(client: Client, execution: Execution) -> None:
    data = b"\x1b[31m" + b"red\n" * 2_500 + b"\x1b[0mplain\n"
    write(execution, attempt(execution), 0, data)
    html = str(lines(client, execution)["html"])
    assert html.startswith('<li data-s="2009"><span class="t-f1">red</span></li>'), html[:80]


def test_times_are_told_on_demand(client: Client, execution: Execution) -> None:
    first = attempt(execution)
    write(execution, first, 0, b"one\ntw")
    write(execution, first, 6, b"o\n")
    assert "data-t" not in str(lines(client, execution)["html"])
    told = re.findall(r'data-t="(\d\d:\d\d:\d\d\.\d)"', str(lines(client, execution, times=1)))
    assert len(told) == 2
    assert 'data-t="' in page(client, execution, "?step=first&times=1")


def test_words_are_found_in_all_of_it(client: Client, written: Execution) -> None:
    url = f"/executions/{written.pk}/steps/first/search/"
    found = client.get(url, {"q": " NEEDLE "}).json()
    assert found["total"] == len(found["hits"]) == LINES // 7
    assert found["hits"][0] == TEXT.index(b"line 00007")
    assert found["hits"][-1] == TEXT.rindex(b"line", 0, TEXT.rindex(b"needle"))
    assert client.get(url, {"q": "é"}).json()["total"] == LINES - LINES // 7
    for nothing in ("", " ", "not there", "x" * 5_000):
        assert client.get(url, {"q": nothing}).json()["hits"] == []


def test_words_are_found_as_they_are_shown(execution: Execution) -> None:
    first = attempt(execution)
    data = b"10%\r99%\nplain\n\x1b[31mre\x1b[1md\x1b[0m line\n\x1b]0;red\x07none\nred"
    write(execution, first, 0, data)
    assert search(first, "red").hits == [data.index(b"\x1b[31m"), data.rindex(b"red")]
    assert search(first, "10%").total == 0 and search(first, "99%").hits == [0]


def test_of_many_the_newest_can_be_gone_to(
    written: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "KEPT", 3)
    found = search(written.steps.get(key="first").attempts.get(), "line")
    assert (found.total, len(found.hits), found.passed_over) == (LINES, 3, LINES - 3)
    assert found.hits[-1] == TEXT.rindex(b"line")


def test_a_search_in_what_is_being_written_says_how_far_it_reached(
    client: Client, execution: Execution
) -> None:
    first = attempt(execution)
    url = f"/executions/{execution.pk}/steps/first/search/"
    assert client.get(url, {"q": "one"}).json()["reached"] == "nothing was written yet"
    write(execution, first, 0, b"one\n" * 1_200 + b"on")
    assert client.get(url, {"q": "one"}).json()["reached"] == "as far as line 1,201"
    html = page(client, execution, "?step=first&q=one")
    assert "as far as line 1,201" in html and 'id="reached" hidden' not in html
    StepAttempt.objects.filter(pk=first.pk).update(finished_at=Now(), state="succeeded")
    assert client.get(url, {"q": "one"}).json()["reached"] == ""
    assert 'id="reached" hidden' in page(client, execution, "?step=first&q=one")


def test_a_search_that_takes_too_long_says_how_far_it_came(
    client: Client, written: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "SECONDS", -1.0)
    found = search(written.steps.get(key="first").attempts.get(), "line")
    assert (found.total, found.until) == (0, 0)
    assert "the rest took too long" in page(client, written, "?step=first&q=line")


def test_without_the_script_links_lead_through_it(client: Client, written: Execution) -> None:
    html = page(client, written, "?step=first&q=needle")
    assert f"{LINES // 7} of {LINES // 7} lines" in html
    previous = re.search(r'id="previous" href="([^"#]+)', html)
    assert previous
    html = page(client, written, previous[1].replace("&amp;", "&"))
    assert f"{LINES // 7 - 1} of {LINES // 7} lines" in html and " id=at " in html
    older = re.search(r'id="earlier" href="([^"#]+)', page(client, written, "?step=first"))
    assert older
    assert "line 03000" in page(client, written, older[1].replace("&amp;", "&"))
    assert "Not found" in page(client, written, "?step=first&q=nowhere")


def test_a_link_to_a_line_holds_after_a_retry(client: Client, scene: Scene) -> None:
    scene.runbook("#### Fail\n```bash {#fail}\necho attempt; false\n```\n")
    execution = scene.run()
    old = execution.steps.get().attempts.get()
    as_person(scene, "devops-engineer").post(f"/executions/{execution.pk}/steps/fail/retry/")
    scene.advance(execution)
    html = page(client, execution, f"?step=fail&attempt={old.pk}&at=0")
    assert f'data-attempt="{old.pk}"' in html and "of attempt 1" in html
    assert "data-pinned" in html and "id=at" in html


def test_a_file_is_raw_or_clean(client: Client, execution: Execution) -> None:
    write(execution, attempt(execution), 0, b"\x1b[31mone\x1b[0m\r\n1%\r2%\n")
    url = f"/executions/{execution.pk}/steps/first/output/"
    assert client.get(url).content == b"\x1b[31mone\x1b[0m\r\n1%\r2%\n"
    clean = client.get(url, {"as": "text"})
    assert clean.content == b"one\n2%\n"
    assert clean["Content-Disposition"].endswith('-first-1-clean.txt"')


def test_a_long_one_too(visitor: Visitor, execution: Execution) -> None:
    first, data = attempt(execution), b"\x1b[31mred\x1b[0m line\n" * 80_000
    for offset in range(0, len(data), 400_000):
        write(execution, first, offset, data[offset : offset + 400_000])
    with visitor.get(f"/executions/{execution.pk}/steps/first/output/?as=text") as clean:
        assert clean.read() == b"red line\n" * 80_000
