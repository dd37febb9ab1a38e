"""The calls as the description has them, somebody who may nearly everything, and things that are there."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, settings

from cvdops.access import limits
from cvdops.access.models import Role, RoleGrant
from cvdops.accounts.models import User
from cvdops.api.urls import described
from cvdops.catalog import confined
from cvdops.environments.models import Environment
from tests import readers
from tests.api.calls import token_of
from tests.cast import person
from tests.web.world import World

# A stream has no end, and its shape is that of its events: see test_events.
STREAM = "events.events"
CALLS = [
    {**call, "path": path, "method": method}
    for path, calls in described()["paths"].items()
    for method, call in calls.items()
    if call["operationId"] != STREAM
]
TAGS = sorted({call["tags"][0] for call in CALLS})


WORDS = {
    "execution_id": "EXECUTION",
    "request_id": "REQUEST",
    "change_id": "CHANGE",
    "trigger_id": "TRIGGER",
    "hold_id": "HOLD",
    "contact_id": "CONTACT",
    "delegation_id": "DELEGATION",
    "username": "HOLDER",
}
KNOWN: dict[str, Any] = {
    "runbook_id": "deployment",
    "step_id": "hello",
    "slug": "development",
    "number": 1,
    "name": "practice",
    "kind": "hosts",
    "position": 0,
    "key": "runbooks",
    "file_kind": "csv",
    "filter_id": 1,
}


@pytest.fixture
def text(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """The token of somebody who may nearly everything, and as often as they like."""
    for kind in limits.Kind:
        monkeypatch.setitem(limits._RATES, kind, (1_000_000, 1.0, kind))
    monkeypatch.setattr(confined, "Reader", readers.Kept)
    return token_of(lead("operations-lead"))


def lead(username: str) -> User:
    """Somebody who may nearly everything."""
    made = person("operations-lead", username)
    RoleGrant.objects.create(user=made, role=Role.objects.get(pk="admin"))
    return made


@pytest.fixture
def there(world: World) -> dict[str, Any]:
    """What stands in addresses, of things that are there."""
    # What is made up is not to make a practice CVD on this machine.
    Environment.objects.update(practice=False)
    return {**KNOWN, **own(person("operations-lead")), **world.named(WORDS)}


def own(user: User) -> dict[str, Any]:
    """A session and a token of this person, as in addresses."""
    Client().force_login(user)
    return {
        "session_id": user.sessions.latest("pk").public_id,
        "token_id": user.tokens.latest("pk").pk,
    }


@pytest.fixture
def quiet() -> Iterator[None]:
    """Nobody reads thousands of lines on what was refused."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


class undone:  # noqa: N801 — it reads as a word of its sentence
    """What happens inside is taken back."""

    def __enter__(self) -> None:
        self._outer = transaction.atomic()
        self._outer.__enter__()

    def __exit__(self, *error: object) -> None:
        transaction.set_rollback(True)
        self._outer.__exit__(*error)  # type: ignore[arg-type]


def generated(count: int) -> settings:
    """So many made-up cases: as they come, none kept for another time or made smaller."""
    return settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
