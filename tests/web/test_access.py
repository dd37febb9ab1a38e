"""Every address × every role × every method, against the table; and nothing is open by mistake."""

from collections.abc import Callable, Iterator, Mapping

import pytest
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, include, path, reverse

from cvdops.access.marks import access_of
from cvdops.audit.models import AuditEntry
from cvdops.executions.models import Execution
from tests.cast import OUTSIDER, person
from tests.web.access_table import METHODS, NOBODY, OTHER_METHODS, ROLES, TABLE, Expected
from tests.web.world import World

TWO = "operations-lead", ""  # one who may much, and nobody


def patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern)
        else:
            yield pattern


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    assert {p.name for p in patterns(get_resolver())} == set(TABLE)


def test_every_view_says_who_may_use_it() -> None:
    assert [p.name for p in patterns(get_resolver()) if access_of(p.callback) is None] == []


Asked = list[tuple[str, str]]  # role, method


def briefly(name: str) -> Asked:
    """Each method that there is, with whom its row names, who is outside, and by turns two of the others, who
    are all answered alike; the other methods with two alone, of the odd ones one.
    """
    row, odd, turn = TABLE[name], OTHER_METHODS[1:], sorted(TABLE).index(name)
    asked: Asked = []
    for method, answers in (("GET", row.get), ("POST", row.post)):
        asked += [(role, method) for role in (TWO if answers is None else some(answers, turn))]
    methods = "HEAD", odd[turn % len(odd)]
    return asked + [(role, method) for role in TWO for method in methods]


def some(answers: Expected, turn: int) -> list[str]:
    named = [role for role in ROLES if role in {OUTSIDER, NOBODY, *answers}]
    others = [role for role in ROLES if role not in named]
    return named + [others[n % len(others)] for n in (turn, turn + 1)] if others else named


def wholly(name: str) -> Asked:
    """Everybody with each method, and the two with all the others."""
    asked = [(role, method) for role in ROLES for method in METHODS]
    return asked + [(role, method) for role in TWO for method in OTHER_METHODS]


@pytest.mark.parametrize("which", [briefly, pytest.param(wholly, marks=pytest.mark.faults)])
@pytest.mark.parametrize("name", sorted(TABLE))
def test_answers_are_those_of_the_table(
    name: str, which: Callable[[str], Asked], crowd: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = TABLE[name]
    address = reverse(name, kwargs=crowd.named(row.kwargs))
    body = crowd.named(row.body)
    # A stream closes the connections of its thread, which here is that of the test.
    monkeypatch.setattr(connections, "close_all", lambda: None)
    given = {
        (role, method): ask(
            crowd.client(role), method, address, crowd.shown(role, address, body), row.api
        )
        for role, method in which(name)
    }
    assert given == {a: row.expected(*a) for a in which(name)}


def ask(
    client: Client, method: str, address: str, body: Mapping[str, object], api: bool = False
) -> int:
    """Ask, and undo what the answer changed, so that the next one finds the same world."""
    cookies = dict(client.cookies)
    with transaction.atomic():
        data: dict[str, object] = {"data": body} if method == "POST" else {}
        data |= {"content_type": "application/json"} if api else {}
        answer = getattr(client, method.lower())(address, **data)
        transaction.set_rollback(True)
    client.cookies.update(cookies)
    return answer.status_code


# What carries its own proof, as a signature, needs no token of a form.
FORMS = sorted(n for n, row in TABLE.items() if row.post and not (row.public and row.api))


def test_a_post_without_a_token_changes_nothing(crowd: World) -> None:
    for name in FORMS:
        row = TABLE[name]
        with transaction.atomic():
            address = reverse(name, kwargs=crowd.named(row.kwargs))
            client = Client(enforce_csrf_checks=True)
            client.cookies["sessionid"] = crowd.sessions["operations-lead"]
            before = Execution.objects.count(), AuditEntry.objects.count()
            answer = client.post(address, row.body)
            assert (name, answer.status_code) == (name, 403)
            assert (b"mark of the session" if row.api else b"too old") in answer.content, name
            assert (Execution.objects.count(), AuditEntry.objects.count()) == before, name
            transaction.set_rollback(True)


def unmarked(request: HttpRequest) -> HttpResponse:
    return HttpResponse("open")


urlpatterns = [path("forgotten/", unmarked), path("", include("cvdops.web.urls"))]


@pytest.mark.urls("tests.web.test_access")
def test_a_view_that_does_not_say_who_may_use_it_is_refused(db: None, client: Client) -> None:
    assert client.get("/forgotten/").status_code == 302
    client.force_login(person("outsider"))
    answer = client.get("/forgotten/", headers={"hx-request": "true"})
    assert answer.status_code == 403
    assert AuditEntry.objects.get().action == "unnamed"


@pytest.mark.parametrize("address", ["/runbooks/nothing/", "/runbooks/deployment/"])
def test_unknown_and_forbidden_look_the_same(address: str, world: World) -> None:
    answer = world.client("outsider").get(address)
    assert answer.status_code == 404
    assert b"There is no such runbook, or you may not see it." in answer.content


def test_a_refusal_is_recorded_with_its_reason(world: World) -> None:
    world.client("developer").get("/audit/")
    entry = AuditEntry.objects.get(allowed=False)
    assert (entry.actor, entry.action) == (person("developer"), "audit.read")
    assert entry.data == {"method": "GET", "reasons": ["role"]}


@pytest.mark.parametrize(
    "address",
    ["/runbooks//", "/RUNBOOKS/", "/runbooks/%2e%2e/", "/runbooks/..%2fdeployment/", "/x\0"],
)
def test_odd_addresses_lead_nowhere(address: str, world: World) -> None:
    assert world.client("operations-lead").get(address).status_code == 404


def test_htmx_without_a_login_is_led_to_the_login(client: Client, db: None) -> None:
    headers = {"hx-request": "true", "hx-current-url": "http://testserver/audit/?q=1"}
    answer = client.get("/", headers=headers)
    assert answer.status_code == 401
    assert answer["HX-Redirect"] == "/login/?next=%2Faudit%2F%3Fq%3D1"


def test_what_takes_no_page_gets_no_redirect(client: Client, db: None) -> None:
    assert client.get("/", headers={"accept": "text/event-stream"}).status_code == 401
