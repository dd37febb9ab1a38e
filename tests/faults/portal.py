"""A web server and a worker beside the rig, and people who read pages and press buttons."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode

from django.test import Client

from cvdops.accounts.models import User
from cvdops.approvals.models import ApprovalRequest
from cvdops.settings import DATA_DIR
from cvdops.stack import portal
from tests.faults.rig import Rig
from tests.faults.servers import Server
from tests.faults.workers import Workers, database_url
from tests.live.viewer import Visitor
from tests.nursery import Forked
from tests.ports import free_port
from tests.web.world import nonce

TOKEN = "t" * 32


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    location: str


@dataclass(frozen=True)
class Visit(Visitor):
    """Requests with somebody's session, as forms send them."""

    timeout: float = 60

    def page(self, path: str) -> Answer:
        return self._ask("GET", path)

    def post(self, path: str, **form: str | list[int]) -> Answer:
        """Raises OSError or HTTPException for an answer that never came."""
        return self._ask("POST", path, urlencode(form, doseq=True))

    def start(self, key: str) -> Answer:
        """Start the runbook of the scene; the same key gives the same execution."""
        return self.post(
            "/runbooks/trial/run/",
            procedure="do-it",
            environment="development",
            reason="a test",
            key=key,
            checklist=list(range(8)),
        )

    def approve(self, gate: ApprovalRequest) -> Answer:
        """Approve what its page shows."""
        address = f"/approvals/{gate.pk}/"
        form = {"verdict": "approve", "plan_digest": gate.plan_digest}
        return self.post(f"{address}decide/", nonce=nonce(self.page(address).text), **form)

    def _ask(self, method: str, path: str, body: str = "") -> Answer:
        fields = {
            "Cookie": f"sessionid={self.session}; csrftoken={TOKEN}",
            "X-CSRFToken": TOKEN,
            "Accept": "text/html",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        try:
            connection.request(method, path, body or None, fields)
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
            return Answer(response.status, text, response.headers.get("Location", ""))
        finally:
            connection.close()


def session(user: User) -> str:
    """A new session of this person."""
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


class Web(Server):
    """A web server, as the one-command system runs it, but forked."""

    run = Forked

    def __init__(self, folder: Path, **environment: str) -> None:
        self.port = free_port()
        part = portal.web(DATA_DIR, self.port)
        settings = {"DATABASE_URL": database_url(), **environment}
        part = replace(part, environment={**part.environment, **settings})
        super().__init__(part, folder / "web.log", f"http://127.0.0.1:{self.port}")

    @property
    def pid(self) -> int:
        return self.running.process.pid

    def said(self) -> str:
        return self.log.read_text()

    def memory(self) -> int:
        """Bytes of it that are in memory."""
        return memory(self.pid)

    def files(self) -> int:
        """How many files and connections it has open."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def visit(self, user: User) -> Visit:
        return Visit(self.port, session(user))


@contextmanager
def web(folder: Path, **environment: str) -> Iterator[Web]:
    server = Web(folder, **environment)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@dataclass
class Portal:
    """What a test of the whole works with."""

    rig: Rig
    web: Web
    workers: Workers

    def visit(self, role: str) -> Visit:
        return self.web.visit(self.rig.scene.person(role))


def memory(pid: int) -> int:
    """Bytes of a process that are in memory."""
    fields = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return int(fields["VmRSS"].split()[0]) << 10
