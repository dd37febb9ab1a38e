"""A portal that really runs, for a client that makes up what it asks: web server, worker, PostgreSQL, Redis."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis import Case
from schemathesis.config import SchemathesisConfig
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.schemas import APIOperation, OpenApiSchema

from cvdops.accounts.models import User
from cvdops.approvals.models import ApprovalRequest
from cvdops.environments.models import Environment
from tests.api.calls import ROOT, token_of
from tests.api.described import KNOWN, WORDS, lead, own
from tests.faults.portal import web
from tests.faults.workers import workers
from tests.waiting import until
from tests.web import world as worlds

AWHILE = 25  # cases after which somebody else asks: fewer than one person may send at once
_number = count(1)


@dataclass
class Somebody:
    """Who may nearly everything, with a token."""

    user: User
    headers: dict[str, str]


@dataclass
class Running:
    """The portal at this address, and what there is in it."""

    url: str
    world: worlds.World
    _sent: int = 0

    @cached_property
    def schema(self) -> OpenApiSchema:
        """What it says of itself."""
        config = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
        return schemathesis.openapi.from_url(
            f"{self.url}{ROOT}openapi.json", headers=self.somebody().headers, config=config
        )

    @cached_property
    def operations(self) -> dict[str, APIOperation]:
        """By their ids."""
        found = [result.ok() for result in self.schema.get_all_operations()]
        return {one.definition.raw["operationId"]: one for one in found}

    def somebody(self) -> Somebody:
        """Somebody new, of whose rights nothing has been taken yet."""
        user = lead(f"lead-{next(_number)}")
        headers = {"Authorization": f"Bearer {token_of(user)}", "Accept-Encoding": "identity"}
        return Somebody(user, headers)

    def send(self, case: Case) -> tuple[Response, dict[str, str]]:
        """What is answered, and the headers by which it was asked."""
        if self._sent % AWHILE == 0:
            self._headers = self.somebody().headers
        self._sent += 1
        return case.call(base_url=self.url, headers=self._headers), self._headers

    @cached_property
    def there(self) -> dict[str, dict[str, Any]]:
        """What stands in the address of each call, of things that are there as long as no call changes them."""
        return {name: self._made(operation) for name, operation in self.operations.items()}

    @cached_property
    def _shared(self) -> dict[str, Any]:
        """Things of which there is one for all calls."""
        each = {"execution_id", "request_id"}
        return KNOWN | self.world.named({n: w for n, w in WORDS.items() if n not in each})

    def _made(self, operation: APIOperation) -> dict[str, Any]:
        names = {parameter.name for parameter in operation.path_parameters}
        made = dict(self._shared)
        if names & {"session_id", "token_id"}:
            user = self.somebody().user
            token_of(user)
            made |= own(user)
        if "execution_id" in names:
            made["execution_id"] = str(self.world.start().pk)
        if "request_id" in names:
            made["request_id"] = self._request()
        return {name: made[name] for name in names}

    def _request(self) -> str:
        """Of an execution that has come to its approval."""
        given = {"procedure": "release", "variables": {"TARGET_VERSION": "v1.0.1"}}
        asked = ApprovalRequest.objects.filter(execution_id=self.world.start(**given).pk)
        return str(until(asked.first, what="the approval").pk)


@pytest.fixture
def portal(transactional_db: None, rows: str, tmp_path: Path) -> Iterator[Running]:
    runbooks = tmp_path / "runbooks"
    runbooks.mkdir()
    world = worlds.again(runbooks, rows)
    # What is made up is not to make a practice CVD on this machine.
    Environment.objects.update(practice=False)
    with web(tmp_path, CVDOPS_RUNBOOKS=str(runbooks)) as server, workers(tmp_path):
        yield Running(server.url, world)
