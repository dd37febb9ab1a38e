"""Pages of what is wrong, as production sends them over TLS: with all headers, and nothing of the inside."""

import http.client
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest
from django.db import connection
from django.test import override_settings

from cvdops.settings import BASE_DIR
from tests.cast import person
from tests.faults.portal import TOKEN, Web, session, web
from tests.faults.workers import database_url
from tests.look.pages import LEAD
from tests.look.test_walk import missing
from tests.nursery import nursery
from tests.proxy import Proxy
from tests.web.world import World

KEY = "a key of fifty random characters, as production needs one"
RUN = "/runbooks/deployment/run/"
INSIDE = ("Traceback", "psycopg", "Django", "SELECT", "environments_period", ".py", str(BASE_DIR))


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str


@dataclass
class Production:
    """A web server in the mode of production, behind a proxy that speaks TLS, and one who is logged in."""

    web: Web
    database: Proxy
    session: str
    execution: str

    def ask(self, path: str, form: dict[str, str] | None = None, **headers: str) -> Answer:
        body = None if form is None else urlencode(form)
        fields = {
            "Cookie": f"sessionid={self.session}; csrftoken={TOKEN}",
            "X-CSRFToken": TOKEN,
            "X-Forwarded-Proto": "https",
            "Origin": f"https://127.0.0.1:{self.web.port}",
            "Content-Type": "application/x-www-form-urlencoded",
            **headers,
        }
        line = http.client.HTTPConnection("127.0.0.1", self.web.port, timeout=60)
        try:
            line.request("GET" if form is None else "POST", path, body, fields)
            answer = line.getresponse()
            sent = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, sent, answer.read().decode())
        finally:
            line.close()


@pytest.fixture(scope="module")
def production(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    folder = tmp_path_factory.mktemp("production")
    settings = connection.settings_dict
    database = Proxy(str(Path(str(settings["HOST"])) / ".s.PGSQL.5432"))
    where = f"{settings['USER']}@127.0.0.1:{database.port}/{settings['NAME']}"
    environment = {
        "CVDOPS_MODE": "production",
        "SECRET_KEY": KEY,
        "ALLOWED_HOSTS": "127.0.0.1,localhost",  # the second looks whether it answers
        "CVDOPS_STATIC": str(folder / "static"),
        "CVDOPS_RUNBOOKS": str(world.folder),
        "DATABASE_URL": f"postgresql://{where}",
    }
    collect = ["manage", "collectstatic", "--noinput", "--verbosity", "0"]
    assert nursery().start(collect, environment, stderr=2).wait() == 0
    with override_settings(SECRET_KEY=KEY):
        lead = session(person(LEAD))
    with web(folder, **environment) as server:
        yield Production(server, database, lead, str(world.start().pk))
    database.close()


def test_each_says_what_it_should_and_nothing_else(production: Production) -> None:
    ask, execution = production.ask, f"/executions/{production.execution}"
    nothing = {"procedure": "nothing", "environment": "development"}
    found = {
        400: [ask("/find/?q=%00"), ask("/", Host="elsewhere.example.com")],
        403: [ask("/people/"), ask(RUN, nothing, Origin="https://elsewhere.example.com")],
        404: [ask("/nothing/"), ask("/runbooks/nothing/")],
        405: [ask("/logout/")],
        409: [ask(f"{execution}/resume/", {})],
        413: [ask("/runbooks/import/", {"text": "x" * 3_000_000})],
        422: [ask(RUN, nothing)],
        429: [_too_many(production, nothing)],
        500: [_broken(production)],
        503: [_without_database(production)],
    }
    for status, answers in found.items():
        for answer in answers:
            assert answer.status == status, (status, answer.text)
            assert wrong(answer) == [], status
    assert found[429][0].headers["retry-after"] and found[503][0].headers["retry-after"]


def wrong(answer: Answer) -> list[str]:
    """What is missing of its headers, and what it tells of the inside."""
    kept = "max-age=31536000; includeSubDomains; preload"
    told = [word for word in INSIDE if word in answer.text]
    tls = [] if answer.headers.get("strict-transport-security") == kept else ["strict transport"]
    return [*missing(answer.headers), *tls, *told, *([] if "</html>" in answer.text else ["html"])]


def _too_many(production: Production, form: dict[str, str]) -> Answer:
    """Starts within a short time: thirty, and what grows back meanwhile."""
    answers = (production.ask(RUN, form) for _ in range(200))
    return next(answer for answer in answers if answer.status != 422)


def _broken(production: Production) -> Answer:
    with psycopg.connect(database_url(), autocommit=True) as administrator:
        administrator.execute("ALTER TABLE environments_period RENAME TO away")
        try:
            return production.ask("/environments/development/")
        finally:
            administrator.execute("ALTER TABLE away RENAME TO environments_period")


def _without_database(production: Production) -> Answer:
    production.database.cut(refuse=True)
    try:
        return production.ask("/executions/")
    finally:
        production.database.mend()


def test_a_form_of_no_origin_is_refused(production: Production) -> None:
    """That of a page in a sandbox, say, with everything else right."""
    form = {"text": "# A document"}
    refused = production.ask("/runbooks/import/", form, Origin="null")
    assert refused.status == 403 and "did not come from the portal" in refused.text
    assert production.ask("/runbooks/import/", form).status == 200
