"""The search over stored output: what is found, by whom, and how far it reaches."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from itertools import pairwise

import pytest
from django.db import connection, transaction

from cvdops.access.levels import Level
from cvdops.access.models import MatrixCell
from cvdops.executions import history, indexing, partitions, search
from cvdops.executions.history import Wanted
from cvdops.executions.models import Execution, OutputWords, StepAttempt, StepRun
from tests.executions.scene import Scene
from tests.executions.test_engine import block
from tests.live.test_pages import as_person
from tests.waiting import joined


def index() -> int:
    """Do what a worker's thread does, until nothing is left. How many attempts it was."""
    count = 0
    while indexing.index_one():
        count += 1
    return count


def finds(scene: Scene, text: str, by: str = "developer") -> list[Execution]:
    return list(history.page(scene.person(by), Wanted(output=text)).items)


@pytest.fixture
def ran(scene: Scene) -> Execution:
    scene.runbook(block("one", "echo 'Connection refused by web-7.example.com'; echo fine"))
    return scene.run()


def test_it_finds_words_in_any_order_and_case(scene: Scene, ran: Execution) -> None:
    assert index() == 1
    for text in ("connection", "REFUSED connection", "web-7.example.com", '"by web"', "fine 7"):
        assert finds(scene, text) == [ran], text
    for text in ("connect", '"refused connection"', '"com fine"', "refused -fine", "•••"):
        assert finds(scene, text) == [], text


@pytest.mark.parametrize("counted", [0, 100])
def test_what_a_page_does_not_look_through_the_next_one_does(
    counted: int, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "COUNTED", counted)
    monkeypatch.setattr(search, "SOON", 20)  # bytes: two of these outputs
    scene.runbook(block("one", "echo red blue now"))
    for _ in range(5):
        scene.run()
    index()
    for text, parts in (('"red blue"', [2, 2, 1]), ('"blue red"', [0, 0, 0]), ("red", [5])):
        pages = [history.page(scene.person("developer"), Wanted(output=text))]
        while cursor := pages[-1].next_cursor:
            pages.append(history.page(scene.person("developer"), Wanted(output=text), cursor))
        assert [len(page.items) for page in pages] == parts
        assert [page.looked_to is None for page in pages] == [*[False] * (len(parts) - 1), True]
    client = as_person(scene, "developer")
    shown = client.get("/executions/", {"output": '"blue red"'}).content.decode()
    assert "Nothing found so far" in shown and 'id="looked-to"' in shown and "Look on" in shown


def test_what_is_not_indexed_is_said(scene: Scene, ran: Execution) -> None:
    attempt = StepAttempt.objects.get()
    assert search.reach() == search.Reach(attempt.finished_at, attempt.finished_at)
    index()
    assert search.reach() == search.Reach(None, None)


def test_indexing_anew_writes_the_same(scene: Scene, ran: Execution) -> None:
    index()
    before = list(OutputWords.objects.values())
    StepAttempt.objects.update(searched=False)
    index()
    assert list(OutputWords.objects.values()) == before


def test_a_long_output_is_searched_whole_in_portions_that_are_cut_at_lines(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "PIECE", 1000)
    monkeypatch.setattr(indexing, "PORTION", 5000)
    scene.runbook(block("one", "seq -f 'line%g' 1 4000"))
    ran = scene.run()
    assert index() > 5
    for text in ("line1", "line2000", "line4000"):
        assert finds(scene, text) == [ran], text
    pieces = list(OutputWords.objects.order_by("begin"))
    assert len(pieces) >= 10
    assert all(a.end == b.begin for a, b in pairwise(pieces))


def test_what_ended_later_comes_before_the_rest_of_a_long_output(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "PIECE", 1000)
    monkeypatch.setattr(indexing, "PORTION", 5000)
    scene.runbook(block("one", "seq -f 'line%g' 1 4000"))
    long = scene.run()
    assert indexing.index_one()
    assert search.reach().last is not None
    later = scene.run()
    assert indexing.index_one()
    assert finds(scene, "line7") == [later, long]
    assert finds(scene, "line4000") == []
    index()
    assert finds(scene, "line4000") == [later, long]


def test_the_hit_names_step_and_line(scene: Scene, ran: Execution) -> None:
    index()
    (hit,) = search.hits(scene.person("developer"), "refused web-7", [ran.pk]).values()
    assert (hit.step, hit.host) == (ran.steps.get().pk, "here")
    assert hit.line == "Connection refused by web-7.example.com"


def test_the_hit_leads_to_the_line_and_says_how_many_there_are(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Far from the newest lines, after lines whose bytes are more than their letters.
    script = "seq -f 'é%g' 1 5000; echo 'no Disk full'; seq 1 9000; echo disk full; echo full disk"
    scene.runbook(block("one", script))
    scene.run()
    index()
    client = as_person(scene, "developer")
    found = client.get("/executions/", {"output": "disk full"}).content.decode()
    assert "In at least 1 line of this execution" in found  # the newest lie in another piece
    (address,) = re.findall(r'class="hit" href="([^"]+)"', found)
    shown = client.get(unescape(address)).content.decode()
    (byte,) = re.findall(r'<li data-s="(\d+)" id=at aria-current=true>no Disk full', shown)
    assert f"at={byte}" in address
    assert "1 of 2 lines" in shown
    monkeypatch.setattr(search, "SOON", 0)  # an output that takes long is not looked through first
    found = client.get("/executions/", {"output": "full disk"}).content.decode()
    assert "&amp;q=" not in found


def test_all_lines_of_an_execution_that_is_looked_through_are_counted(scene: Scene) -> None:
    scene.runbook(block("one", "seq 1 30; seq 30 40"))
    ran = scene.run()
    index()
    (hit,) = search.hits(scene.person("developer"), "30", [ran.pk]).values()
    assert (hit.lines, hit.others, hit.at) == (
        2,
        False,
        len("".join(f"{n}\n" for n in range(1, 30))),
    )


def test_a_secret_is_not_found(scene: Scene) -> None:
    scene.runbook(
        block("one", 'echo "it is $TOKEN here"'), extra="variables:\n  TOKEN: {secret: true}\n"
    )
    ran = scene.run(variables={"TOKEN": "hunter2hunter2"})
    index()
    assert finds(scene, "it here") == [ran]
    assert finds(scene, "hunter2hunter2") == []


def test_answers_are_found_by_those_with_execute(scene: Scene, ran: Execution) -> None:
    StepRun.objects.update(kind="http")  # as if it had come back to a request
    index()
    assert finds(scene, "refused", by="devops-engineer") == [ran]
    assert finds(scene, "refused", by="developer") == []
    assert search.hits(scene.person("developer"), "refused", [ran.pk]) == {}


def test_what_is_out_of_sight_is_not_found(scene: Scene, ran: Execution) -> None:
    index()
    scene.person("developer")
    MatrixCell.objects.filter(role="developer").update(level=Level.NONE)
    assert finds(scene, "refused") == []


def test_with_the_month_its_words_go(scene: Scene, ran: Execution) -> None:
    index()
    month = max(m for m in partitions.months() if m.begin <= ran.created_at)
    partitions.remove(month, 1)
    try:
        assert finds(scene, "refused") == []
        assert not OutputWords.objects.exists()
    finally:
        partitions.prepare()


def test_two_workers_do_not_wait_for_each_other(scene: Scene, ran: Execution) -> None:
    with attempts_locked():
        assert not indexing.index_one()
    assert indexing.index_one()


@contextmanager
def attempts_locked() -> Iterator[None]:
    """Another worker is at it."""
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            list(StepAttempt.objects.select_for_update())
            locked.set()
            done.wait(30)
        connection.close()

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    locked.wait(30)
    try:
        yield
    finally:
        done.set()
        joined(thread)
