"""A runbook that somebody may not see does not exist for them: no name, no count, no difference."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from math import erfc, sqrt
from statistics import median
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.contrib.messages import get_messages
from django.db import connections, transaction
from django.db.models.functions import Now
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import reverse

from cvdops.access.models import MatrixCell
from cvdops.access.policy import seen_with
from cvdops.approvals.models import ApprovalRequest
from cvdops.audit.models import AuditEntry
from cvdops.environments.models import Host
from cvdops.executions.models import Execution
from cvdops.notifications.services import note
from tests.cast import person
from tests.web.access_table import OTHER_METHODS, TABLE
from tests.web.world import World

# What must be on no page of somebody who does not see the category security.
MARKS = ("security-audit", "Security audit", "A secret reason")
# What a call cannot do without, it asks for before it looks for anything.
NEEDED = {"api-execution-go-on": "?step=hello", "api-step-search": "?q=hello"}


@pytest.fixture
def hidden(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Auditors do not see the category security; something was run and asked for in it."""
    monkeypatch.setattr(connections, "close_all", lambda: None)
    person("auditor")
    MatrixCell.objects.filter(role="auditor", category="security").update(level=0)
    for _ in range(2):
        world.start(by="operations-lead", runbook="security-audit", reason=MARKS[2])
    return world


def the_execution() -> Execution:
    return Execution.objects.filter(runbook="security-audit").latest("pk")


Sent = Mapping[str, object] | None


def addresses(world: World) -> Iterator[tuple[str, str, str, Sent]]:
    """Of each address that names a runbook, execution or approval: with the hidden one, and with none.

    With what a program sends there: a body is read before anything is looked for.
    """
    execution = str(the_execution().pk)
    request = world.request(runbook="security-audit", by="operations-lead")
    ApprovalRequest.objects.filter(pk=request).update(category="security")
    for name, row in sorted(TABLE.items()):
        if not {"runbook_id", "execution_id", "request_id"} & set(row.kwargs):
            continue
        real = {"runbook_id": "security-audit", "execution_id": execution, "request_id": request}
        none = {
            "runbook_id": "no-such-runbook",
            "execution_id": str(uuid4()),
            "request_id": str(uuid4()),
        }
        for method in ("get", "post"):
            if getattr(row, method):
                more = NEEDED.get(name, "") if method == "get" else ""
                yield (
                    method,
                    reverse(name, kwargs={**row.kwargs, **pick(real, row.kwargs)}) + more,
                    reverse(name, kwargs={**row.kwargs, **pick(none, row.kwargs)}) + more,
                    row.body if row.api else None,
                )


def pick(values: dict[str, str], names: object) -> dict[str, str]:
    return {n: v for n, v in values.items() if n in names}  # type: ignore[operator]


def ask(
    client: Client, method: str, address: str, sent: Sent = None
) -> tuple[int, str, list[tuple[str, str]]]:
    """The answer without what names its own address, its token, or the moment."""
    data: dict[str, object] = {}
    if method == "post" and sent is not None:
        data = {"data": sent, "content_type": "application/json"}
    with transaction.atomic():
        answer = getattr(client, method)(address, **data)
        transaction.set_rollback(True)
    text = "" if answer.streaming else without_token(answer.content.decode())
    text = text.replace(address, "ADDRESS")
    headers = [(n, v) for n, v in answer.headers.items() if n != "Content-Length"]
    return answer.status_code, text, sorted(headers)


def without_token(page: str) -> str:
    """Nor the moment of the page."""
    page = re.sub(r"as of <time .*?</time>", "", page)
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page)


def test_it_answers_as_one_that_does_not_exist(hidden: World) -> None:
    client = hidden.client("auditor")
    asked = list(addresses(hidden))
    assert len(asked) > 20
    for method, real, none, sent in asked:
        answer = ask(client, method, real, sent)
        assert answer[0] == 404, real
        assert answer == ask(client, method, none, sent), real


def test_who_sees_it_gets_answers(hidden: World) -> None:
    client = hidden.client("operations-lead")
    found = {ask(client, m, real)[0] for m, real, _, _ in addresses(hidden) if m == "get"}
    assert 200 in found


def test_no_page_names_it(hidden: World) -> None:
    client = hidden.client("auditor")
    for name, row in sorted(TABLE.items()):
        if not row.get or name == "styleguide":
            continue
        address = reverse(name, kwargs=hidden.named(row.kwargs))
        answer = client.get(address)
        if not answer.streaming:
            found = [m for m in MARKS if m in answer.content.decode()]
            assert found == [], f"{address} tells of {found}"


@pytest.mark.parametrize(
    "address",
    [
        "/runbooks/?q=security",
        "/runbooks/?category=security",
        "/executions/?q=secret",
        "/executions/?person=operations-lead",
        "/audit/?subject=execution",
        "/audit/?person=operations-lead",
        "/audit/?action=execution",
    ],
)
def test_no_search_or_filter_finds_it(hidden: World, address: str) -> None:
    answer = hidden.client("auditor").get(address)
    page = answer.content.decode().replace("/?", "").replace('value="secret"', "")
    assert [m for m in MARKS if m in page] == []
    assert f"#{the_execution().number}" not in page
    assert str(the_execution().pk) not in page


def test_a_filter_by_its_id_is_one_by_no_id(hidden: World) -> None:
    client = hidden.client("auditor")
    pages = {
        without_token(client.get(f"/executions/?runbook={name}").content.decode()).replace(
            name, "NAME"
        )
        for name in ("security-audit", "no-such-runbook")
    }
    assert len(pages) == 1


def test_the_number_of_an_execution_finds_nothing(hidden: World) -> None:
    number = the_execution().number
    page = hidden.client("auditor").get(f"/executions/?q={number}").content.decode()
    assert "No execution that you may see fits these filters." in page


def test_counts_leave_it_out(hidden: World) -> None:
    page = hidden.client("auditor").get("/").content.decode()
    Execution.objects.filter(runbook="security-audit").update(state="succeeded", finished_at=Now())
    again = hidden.client("auditor").get("/").content.decode()
    assert re.findall(r"<b>(.*?)</b>", page) == re.findall(r"<b>(.*?)</b>", again)


def test_what_was_done_with_it_is_not_in_the_audit_log_of_others(hidden: World) -> None:
    execution = the_execution()
    lead, auditor = hidden.client("operations-lead"), hidden.client("auditor")
    hidden.client("developer").post(f"/executions/{execution.pk}/pause/")  # refused, and recorded
    hidden.client("developer").post("/runbooks/security-audit/run/", TABLE["run"].body)
    refused = AuditEntry.objects.filter(subject="page", allowed=False)
    assert refused.count() == 2
    for client, told in ((lead, True), (auditor, False)):
        page = client.get("/audit/").content.decode()
        assert ("security-audit" in page) is told
        assert (str(execution.pk)[-12:] in page) is told


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_nor_in_its_export(hidden: World, kind: str) -> None:
    execution = str(the_execution().pk)
    for role, told in (("operations-lead", True), ("auditor", False)):
        answer = hidden.client(role).get(f"/audit/export/{kind}/")
        assert (execution in exported(answer)) is told


def exported(answer: StreamingHttpResponse) -> str:
    async def read() -> str:
        return "".join([part.decode() async for part in answer])

    return async_to_sync(read)()


def test_a_notice_of_it_goes_with_the_right_to_see_it(hidden: World) -> None:
    auditor, seen = person("auditor"), hidden.start(reason="seen")
    for execution in (the_execution(), seen):
        path = reverse("execution", args=[execution.pk])
        text = f"{execution.runbook.title} has ended"
        note([auditor], subject="x", key=str(execution.pk), text=text, path=path)
    page = hidden.client("auditor").get("/notices/").content.decode()
    assert "Deployment has ended" in page
    assert "Security audit has ended" not in page


def test_entries_of_what_they_do_see_stay(hidden: World) -> None:
    seen = hidden.start(reason="seen")
    page = hidden.client("auditor").get("/audit/").content.decode()
    assert str(seen.pk)[-12:] in page


def test_a_sync_tells_nobody_of_what_they_do_not_see(hidden: World) -> None:
    MatrixCell.objects.filter(role="devops-engineer", category="security").update(level=0)
    file = hidden.folder / "security-audit.md"
    file.write_text(file.read_text().replace("echo hello", "echo hello again"))
    answer = hidden.client("devops-engineer").post("/catalog/sync/")
    said = [str(message) for message in get_messages(answer.wsgi_request)]
    assert said == ["All 2 runbooks are as they were."]
    page = hidden.client("devops-engineer").get("/runbooks/").content.decode()
    assert "security-audit" not in page


def test_a_host_that_it_uses_does_not_tell(hidden: World) -> None:
    MatrixCell.objects.filter(role="admin", category="security").update(level=0)
    host = Host.objects.get(name="practice")
    client = hidden.client("admin")
    assert (
        f"#{the_execution().number}"
        not in client.get("/environments/development/hosts/practice/").content.decode()
    )
    answer = client.post(f"/environments/development/hosts/{host.pk}/remove/")
    assert answer.status_code == 409
    assert b"is used by an execution that you may not see" in answer.content


def test_pages_that_all_read_name_only_what_all_of_them_see(hidden: World) -> None:
    assert "security" not in seen_with("deployment")
    assert "deployment" in seen_with("security")
    MatrixCell.objects.filter(role="auditor", category="security").update(level=10)
    assert "security" in seen_with("deployment")


def timed(call: Callable[[], object], count: int) -> list[float]:
    taken = []
    for _ in range(count):
        begun = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begun)
    return taken


def test_how_long_it_takes_tells_nothing(hidden: World) -> None:
    """Neither is reliably slower: who guesses from the time is right about as often as by chance."""
    client = hidden.client("auditor")
    real = reverse("execution", args=[the_execution().pk])
    none = reverse("execution", args=[uuid4()])
    client.get(real), client.get(none)
    first, second = [], []
    for _ in range(60):  # in turns, so that a busy machine is busy for both
        first += timed(lambda: client.get(real), 1)
        second += timed(lambda: client.get(none), 1)
    slower = sum(a > b for a in first for b in second) / (len(first) * len(second))
    assert 0.2 < slower < 0.8, f"medians {median(first):.4f} s and {median(second):.4f} s"


@pytest.mark.faults
@pytest.mark.parametrize("name", ["execution", "runbook", "approval", "api-execution"])
def test_five_hundred_answers_of_each_kind_take_equally_long(hidden: World, name: str) -> None:
    """S7: by the time alone nobody tells what is hidden from what is not there (Mann-Whitney, p > 0.01)."""
    request = hidden.request(runbook="security-audit", by="operations-lead")
    ApprovalRequest.objects.filter(pk=request).update(category="security")
    real: dict[str, object] = {
        "execution": the_execution().pk,
        "runbook": "security-audit",
        "approval": request,
        "api-execution": the_execution().pk,
    }
    client = hidden.client("auditor")
    there, absent = reverse(name, args=[real[name]]), reverse(name, args=[uuid4()])
    if name == "runbook":
        absent = reverse(name, args=["security-audot"])
    for address in (there, absent) * 10:  # what is made once is made
        assert client.get(address).status_code == 404
    first, second = [], []
    for _ in range(500):  # in turns, so that a busy machine is busy for both
        first += timed(lambda: client.get(there), 1)
        second += timed(lambda: client.get(absent), 1)
    assert mann_whitney(first, second) > 0.01, (
        f"medians {median(first) * 1000:.3f} ms and {median(second) * 1000:.3f} ms"
    )


def mann_whitney(first: list[float], second: list[float]) -> float:
    """How likely two samples without ties differ as much as these by chance (both sides, normal)."""
    ranked = sorted(
        (value, which) for which, values in enumerate((first, second)) for value in values
    )
    n, m = len(first), len(second)
    ranks = sum(rank for rank, (_, which) in enumerate(ranked, 1) if which == 0)
    u = ranks - n * (n + 1) / 2
    z = (u - n * m / 2) / sqrt(n * m * (n + m + 1) / 12)
    return erfc(abs(z) / sqrt(2))


def test_methods_that_no_address_answers_say_the_same(hidden: World) -> None:
    client = hidden.client("auditor")
    real = reverse("execution", args=[the_execution().pk])
    none = reverse("execution", args=[uuid4()])
    for method in OTHER_METHODS:
        assert ask(client, method.lower(), real) == ask(client, method.lower(), none)
