"""What a person finds by a few words, and where it leads."""

import pytest
from pytest_django import DjangoAssertNumQueries

from cvdops.executions.models import Execution
from cvdops.web.finding import find
from cvdops.web.glossary import words
from cvdops.web.places import FIRST, MORE, REST, section
from tests.cast import EVERYBODY, OUTSIDER, person
from tests.web.world import World


def titles(role: str, text: str) -> list[str]:
    return [hit.title for kind in find(person(role), text) for hit in kind.hits]


def test_an_execution_is_found_by_its_number(world: World) -> None:
    execution = world.start()
    assert titles("devops-engineer", f"#{execution.number}") == [f"#{execution.number} Deployment"]


def test_a_runbook_is_found_with_what_it_runs(world: World) -> None:
    assert titles("devops-engineer", "deployment") == ["Deployment", "Release", "Greet"]
    assert titles("developer", "deployment") == ["Deployment"]


def test_a_procedure_leads_to_its_launch_page(world: World) -> None:
    [kind] = find(person("devops-engineer"), "run deployment greet")
    assert [hit.address for hit in kind.hits] == ["/runbooks/deployment/run/?procedure=greet"]


def test_what_may_be_done_with_an_execution_leads_to_its_page(world: World) -> None:
    execution = world.start()
    [kind] = find(person("devops-engineer"), f"cancel {execution.number}")
    assert [(hit.title, hit.address) for hit in kind.hits] == [
        (f"Cancel #{execution.number}", f"/executions/{execution.pk}/#actions")
    ]
    assert titles("auditor", f"cancel {execution.number}") == []


def test_what_may_be_done_is_asked_only_of_what_fits_the_words(
    world: World, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    numbers = [world.start().number for _ in range(3)]
    client, headers = world.client("devops-engineer"), {"hx-request": "true"}

    def asked(text: str, most: int) -> str:
        client.get("/find/", {"q": text}, headers=headers)
        with django_assert_max_num_queries(most):
            return client.get("/find/", {"q": text}, headers=headers).content.decode()

    one = asked(f"cancel {numbers[0]}", 11)
    assert f"Cancel #{numbers[0]}" in one and f"#{numbers[1]}" not in one
    assert "Cancel #" not in asked("cancel nothing-like-it", 8)


@pytest.mark.parametrize("text", ["log out", "logout", "sign out"])
def test_logging_out_is_found_and_sends_the_form_of_the_page(text: str, world: World) -> None:
    assert "Log out" in titles(OUTSIDER, text)
    for headers in ({}, {"hx-request": "true"}):
        page = world.client(OUTSIDER).get("/find/", {"q": text}, headers=headers).content.decode()
        assert '<button type="submit" form="log-out"' in page
    assert '<form id="log-out" method="post" action="/logout/">' in (
        world.client(OUTSIDER).get("/").content.decode()
    )


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("profile", "My account"),
        ("password", "Change my password"),
        ("shortcuts", "Keyboard shortcuts"),
        ("webhook", "Triggers"),
        ("diff", "Compare two executions"),
        ("openapi", "The API"),
    ],
)
def test_what_concerns_all_of_the_portal_is_found(text: str, title: str, world: World) -> None:
    assert title in titles("operations-lead", text)


def test_runbooks_come_before_the_executions_of_them(world: World) -> None:
    execution = world.start()
    found = titles("devops-engineer", "deploy")
    assert found[0] == "Deployment"
    assert found[-1] == f"#{execution.number} Deployment"


def test_nobody_finds_what_does_not_exist_for_them(world: World) -> None:
    execution = world.start()
    assert titles(OUTSIDER, "deployment") == []
    assert titles(OUTSIDER, str(execution.number)) == []


@pytest.mark.parametrize("role", EVERYBODY)
def test_every_page_that_is_offered_opens(role: str, world: World) -> None:
    [pages] = [k for text in [""] for k in find(person(role), text) if k.title == "Pages"]
    found = {
        hit.address for place in MORE for k in find(person(role), place.title) for hit in k.hits
    }
    found |= {hit.address for hit in pages.hits}
    for address in sorted(found):
        assert world.client(role).get(address).status_code == 200, address


def test_pages_are_found_by_other_words_for_them(world: World) -> None:
    assert "Delegations" in titles("operations-manager", "holiday")
    assert "Change the matrix" not in titles("developer", "matrix")
    assert "Change the matrix" in titles("operations-lead", "matrix")


@pytest.mark.parametrize("text", ["9" * 40, "²", "%", "'; --", "\u202e", "#"])
def test_odd_words_find_nothing_and_break_nothing(text: str, world: World) -> None:
    assert world.client("auditor").get("/find/", {"q": text}).status_code == 200


def test_the_palette_gets_its_list_alone(world: World) -> None:
    answer = world.client("auditor").get("/find/?q=audit", headers={"hx-request": "true"})
    page = answer.content.decode()
    assert 'role="listbox"' in page
    assert "<html" not in page


def test_the_palette_asks_little(
    world: World, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        world.start()
    client = world.client("devops-engineer")
    headers = {"hx-request": "true"}
    client.get("/find/?q=deployment", headers=headers)  # documents are parsed once per process
    with django_assert_max_num_queries(10):
        client.get("/find/?q=deployment", headers=headers)
    assert Execution.objects.count() == 3


def test_the_glossary_has_every_word_of_its_source(world: World) -> None:
    page = world.client("developer").get("/glossary/").content.decode()
    assert len(words()) > 40
    assert all(f'id="{word.anchor}"' in page for word in words())
    assert len({word.anchor for word in words()}) == len(words())


def test_who_comes_for_the_first_time_is_offered_the_tour_until_it_was_taken(world: World) -> None:
    user = person("developer")
    user.set_password("a good long password")
    user.save()
    client = world.client("")
    client.post("/login/", {"username": "developer", "password": "a good long password"})
    assert "Take the tour" in client.get("/").content.decode()
    assert "Execute" in client.get("/tour/").content.decode()
    assert "Take the tour" not in client.get("/").content.decode()


def test_every_key_leads_to_one_place() -> None:
    keys = [place.keys for place in (*FIRST, *REST, *MORE) if place.keys]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "home"),
        ("/runbooks/deployment/run/", "runbooks"),
        ("/permissions/policies/choose/", "permissions"),
        ("/holds/", "environments"),
        ("/people/developer/", "people"),
        ("/account/", ""),
    ],
)
def test_the_navigation_knows_where_it_is(path: str, name: str) -> None:
    assert section(path) == name
