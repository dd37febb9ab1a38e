"""Each line of docs/api-calls.md, run by a shell against a running portal with the demo, as it ships."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from cvdops.access import limits
from cvdops.access.models import Role, RoleGrant
from cvdops.api.answers import ANSWERS
from cvdops.api.curl import SIGNED, calls, curl
from cvdops.api.examples import BODIES
from cvdops.api.urls import described
from tests.api import answers as examples
from tests.api import demo, write_docs
from tests.api.answers import as_answered, models
from tests.api.calls import token
from tests.cast import certify, person

# Who is meant to call; everything else is asked by somebody who leads and administers.
WHO = {
    "approvals.decide": "operations-manager",
    "people.delegate": "operations-manager",
    "people.delegation": "operations-manager",
    "people.end": "operations-manager",
}
STREAMS = {"events.events"}  # it ends with its execution
LOOKS = {"installation.look"}  # it starts a process that looks at this machine
CALLS = [(name, method, path) for name, method, path, _ in calls(described())]


def test_the_page_is_that_of_the_description() -> None:
    """If not: python -m tests.api.write_docs."""
    assert write_docs.PLACE.read_text(encoding="utf-8") == write_docs.text()


def test_every_body_has_an_example() -> None:
    """In cvdops/api/examples.py."""
    taken = {call["operationId"] for _, _, _, call in calls(described()) if "requestBody" in call}
    assert taken == set(BODIES)


@pytest.fixture
def shipped(
    transactional_db: None,
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    for kind in limits.Kind:
        monkeypatch.setitem(limits._RATES, kind, (1_000_000, 1.0, kind))
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    site = demo.install(tmp_path, settings)
    RoleGrant.objects.create(user=person("operations-lead"), role=Role.objects.get(pk="admin"))
    yield
    site.stop()


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")  # the server of this test
def test_each_line_is_answered(live_server: LiveServer, shipped: None, tmp_path: Path) -> None:
    """One after the other as they stand there: what one makes, the next ones change and remove.

    With CVDOPS_WRITE_ANSWERS in the environment it writes cvdops/api/answers.json anew.
    """
    said, answers = {}, {}
    for name, method, path in CALLS:
        if name not in STREAMS | LOOKS:
            line = curl(name, method, path)
            there = surroundings(name, line, live_server.url)
            answer = run(line, there)
            said[name] = str(answer)
            answers[name] = answer
            if answer.status == "201":
                said[f"{name}: {answer.place}"] = str(run(curl_of(answer.place), there))
        if name == "changes.give_role":
            certify(person("ci"))  # a lead does so; there is an example of it
    unlike = {name: status for name, status in said.items() if not status.startswith("2")}
    assert unlike == {}
    assert len(said) > 80
    if "CVDOPS_WRITE_ANSWERS" in os.environ:
        here = {str(tmp_path): "/srv/cvdops", live_server.url: "https://portal.example.com"}
        examples.write({n: (a.status, a.content) for n, a in answers.items()}, here)


def curl_of(path: str) -> str:
    return f'curl -sS -H "Authorization: Bearer $TOKEN" "$PORTAL{path}"'


def surroundings(name: str, line: str, url: str) -> dict[str, str]:
    """The variables of the shell, for things that the call is about."""
    found = demo.Case(name).surroundings(line)
    who = person(WHO.get(name, "operations-lead"))
    if "$SESSION" in line:
        demo.log_in(who)
        found["SESSION"] = who.sessions.first().public_id
    if "$NUMBER" in line:
        token(who.username)
        found["NUMBER"] = str(who.tokens.earliest("pk").pk)
    return {
        **found,
        "FINGERPRINT": demo.KEY["fingerprint"],
        "TOMORROW": f"{timezone.now() + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
        "PORTAL": url,
        "TOKEN": token(who.username),
    }


@dataclass(frozen=True)
class Answer:
    """What came; `place` is where what was made is read."""

    status: str
    place: str
    content: str

    def __str__(self) -> str:
        """The status; what it says, too, where it is that of an error."""
        return self.status if self.status.startswith("2") else f"{self.status} {self.content}"


def run(line: str, environment: dict[str, str]) -> Answer:
    command = f"{line} -w '\\n%{{http_code}} %header{{location}}'"
    done = subprocess.run(
        ["bash", "-euc", command],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        timeout=100,
        check=True,
    )
    content, _, end = done.stdout.decode(errors="replace").rpartition("\n")
    status, _, place = end.partition(" ")
    return Answer(status, place, content)


def test_every_answer_has_an_example() -> None:
    """If not: CVDOPS_WRITE_ANSWERS=1 pytest tests/api/test_examples.py -k line."""
    first = {name: min(status for one, status in models() if one == name) for name, _ in models()}
    assert {name for name in first if name not in ANSWERS} == LOOKS
    assert all(set(found) <= {"200", "201", "202"} for found in ANSWERS.values())


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_the_example_is_what_the_call_answers(name: str) -> None:
    for status, value in ANSWERS[name].items():
        if model := models().get((name, status)):
            assert as_answered(model, value) == value


def test_the_guide_signs_as_the_example_does() -> None:
    page = (write_docs.PLACE.parent / "api.md").read_text(encoding="utf-8")
    lines = "\n".join(line.removeprefix("    ") for line in page.splitlines())
    (path,) = [path for name, _, path in CALLS if name == SIGNED]
    assert curl(SIGNED, "post", path) in lines
