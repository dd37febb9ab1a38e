"""The connection to a host: its test, and confirming the key that it showed."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.api.asking import Asked, Text
from cvdops.api.execution import Waiting
from cvdops.executions import inventory, keys, probes
from cvdops.executions.models import HostCheck
from cvdops.executions.queues import gap
from cvdops.executions.standstill import UNSERVED, sentence

router = Router(tags=["environments"])


class Test(Schema):
    """A test of the connection: its steps as far as it has come.

    `good` when it is done: whether the commands that it was asked for are there; `found` says so in words.
    `waiting_for` while no worker lives that does it, or would.
    """

    id: UUID
    requested_at: datetime
    begun_at: datetime | None
    done_at: datetime | None
    results: list[dict[str, Any]]
    good: bool | None
    found: dict[str, str]
    waiting_for: Waiting | None

    @classmethod
    def of(cls, check: HostCheck) -> "Test":
        return cls(
            id=check.pk,
            requested_at=check.requested_at,
            begun_at=check.begun_at,
            done_at=check.done_at,
            results=check.results,
            good=probes.is_good(check) if check.done_at else None,
            found={one["name"]: one["text"] for one in probes.telling(check)},
            waiting_for=_waiting(check),
        )


def _waiting(check: HostCheck) -> Waiting | None:
    missed = None if check.done_at else gap(check.host.environment.queue)
    return Waiting(code=UNSERVED, text=sentence(missed)) if missed else None


class Connection(Schema):
    """`keys` is `none`, `known`, `unknown` or `changed`; `shown_keys` are those of the last test."""

    host: str
    keys: str
    shown_keys: list[str]
    confirmed_keys: list[str]
    test: Test | None


class KeyConfirmed(Asked):
    """A changed key needs a reason."""

    fingerprint: Annotated[Text, Field(max_length=64)]
    reason: Annotated[Text, Field(max_length=keys.MAX_REASON)] = ""


_HOST = "/environments/{slug}/hosts/{name}"


@router.get(_HOST, response=Connection, url_name="api-host")
@requires(Action.READ_ENVIRONMENTS)
def connection(request: HttpRequest, slug: str, name: str) -> Connection:
    """How the connection to a host stands."""
    return _connection(slug, name)


@router.post(f"{_HOST}/test", response={202: Test}, url_name="api-host-test")
@requires(Action.TEST_HOST, "POST")
def test(request: HttpRequest, slug: str, name: str) -> Status[Test]:
    """Have the connection tested by a worker; read it again for the result."""
    made = probes.ask(person(request), slug, name)
    made.refresh_from_db()
    return Status(202, Test.of(made))


@router.post(f"{_HOST}/keys", response={201: Connection}, url_name="api-host-key")
@requires(Action.CONFIRM_KEY, "POST")
def confirm_key(
    request: HttpRequest, slug: str, name: str, confirmed: KeyConfirmed
) -> Status[Connection]:
    """Confirm a key that the host showed in its last test."""
    keys.confirm(person(request), slug, name, confirmed.fingerprint, confirmed.reason)
    return Status(201, _connection(slug, name))


def _connection(slug: str, name: str) -> Connection:
    host = inventory.host(slug, name)
    newest, shown = host.checks.first(), keys.last_with_keys(host)
    return Connection(
        host=host.name,
        keys=keys.standing(host, shown),
        shown_keys=[key["fingerprint"] for key in shown.keys] if shown else [],
        confirmed_keys=[key.fingerprint for key in host.keys.all()],
        test=Test.of(newest) if newest else None,
    )
