"""Which parts the one-command system has, in which order they start, and how they are reached."""

import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from cvdops.stack import portal, preflight, redis
from cvdops.stack.parts import Part, Running, StartError
from cvdops.stack.postgres import Postgres
from cvdops.stack.records import Records, write_private
from cvdops.stack.supervisor import Supervisor

FIRST_PRACTICE_PORT = 5000
SOCKETS_PREFIX = "cvdops-"


class System:
    """One data folder, one port: `start`, `watch` until a signal comes, `stop`."""

    def __init__(self, data: Path, port: int, say: Callable[[str], None]) -> None:
        self.data = data
        self.run = data / "run"
        self.port = port
        self.say = say
        self.records = Records(self.run / "parts.json")
        self.supervisor = Supervisor(data / "logs", self.records, say)
        self.practice_port = FIRST_PRACTICE_PORT
        self.practice_started = False

    def start(self) -> None:
        """Return when every part answers; StartError says why one does not."""
        self.supervisor.obey_signals()
        self._end_leftovers()
        preflight.port(self.port)
        environment, servers = self._begin_servers()
        self._start_practice()  # while they come up
        self.supervisor.wait_ready(*servers)
        environment["CVDOPS_PRACTICE_PORT"] = str(self.practice_port)
        environment["CVDOPS_URL"] = f"http://localhost:{self.port}"  # unless somebody has set it
        write_private(self.run / "environment.json", json.dumps(environment))
        # The web server loads while the database is prepared: it asks nothing of it until a request.
        self.say("Starting the web server, preparing the database and the demo …")
        web = self.supervisor.begin(portal.web(self.data, self.port))
        self.supervisor.run(portal.prepare(self.data))
        self.say("Starting the worker …")
        worker = self.supervisor.begin(portal.worker(self.data, self.port))
        self.supervisor.wait_ready(web, worker)

    def watch(self) -> None:
        """Return when a signal to stop comes; until then parts that die are started again."""
        self.supervisor.watch()

    def stop(self) -> None:
        self.supervisor.stop()
        if self.practice_started:
            self._run_practice("stop")
        (self.run / "environment.json").unlink(missing_ok=True)
        self._remove_sockets()

    def _end_leftovers(self) -> None:
        """Parts of a system that was killed hard. Steps that still run are no parts and go on."""
        for name, process in reversed(self.records.read().items()):
            if process.alive():
                self.say(f"Ending {name}, left over from a system that was killed …")
                process.end()
            self.records.forget(name)
        self._remove_sockets()

    def _begin_servers(self) -> tuple[dict[str, str], list[Running]]:
        """The settings by which they are reached, and the servers, which need not answer yet."""
        parts: list[Part] = []
        environment: dict[str, str] = {}
        sockets = self._new_sockets()
        if not given("SECRET_KEY"):
            environment["SECRET_KEY"] = self._key()
        if not given("DATABASE_URL"):
            postgres = self._postgres(sockets)
            parts.append(postgres.part())
            environment["DATABASE_URL"] = postgres.url
        if not given("REDIS_URL"):
            parts.append(redis.part(sockets / "redis"))
            environment["REDIS_URL"] = redis.url(sockets / "redis")
        if parts:
            self.say(f"Starting {' and '.join(part.name for part in parts)} …")
        return environment, [self.supervisor.begin(part) for part in parts]

    def _postgres(self, sockets: Path) -> Postgres:
        postgres = Postgres(self.data / "postgres", sockets / "postgres")
        postgres.end_orphan()
        if not postgres.initialised():
            self.say("Making the database folder …")
            if postgres.account:
                self.say(
                    f"PostgreSQL refuses to run as root: it runs as the user "
                    f"{postgres.account.name}, its data is in {postgres.data}."
                )
        postgres.initialise()
        return postgres

    def _start_practice(self) -> None:
        """Before the demo, whose development environment is described by the practice CVD."""
        self.say("Starting the practice CVD …")
        self.practice_port = self._remembered_port() or self._new_port()
        self.practice_started = True
        try:
            self.supervisor.run(portal.practice(self.data, "start", self.practice_port))
        except StartError as error:
            self._run_practice("stop")
            if preflight.pair_free(self.practice_port):
                # A runbook may have left it broken: that is what it is for. The portal is not.
                self.say(f"{error}\nThe portal starts without the practice CVD.")
                return
            # Somebody took the port between the look and the start.
            self.practice_port = self._new_port()
            self.supervisor.run(portal.practice(self.data, "start", self.practice_port))

    def _run_practice(self, command: str) -> int:
        """Apart from the supervisor, because runbooks stop and start it: the command's exit code."""
        part = portal.practice(self.data, command, self.practice_port)
        return Running(part, self.data / "logs" / "practice.log").process.wait()

    def _remembered_port(self) -> int | None:
        """The port of the last start, unless another program has taken it meanwhile."""
        remembered = self.run / "practice-port"
        if not remembered.exists():
            return None
        self.practice_port = int(remembered.read_text())
        free = preflight.pair_free(self.practice_port) or self._run_practice("status") == 0
        return self.practice_port if free else None

    def _new_port(self) -> int:
        ports = range(FIRST_PRACTICE_PORT, 65535)
        port = next(n for n in ports if self.port not in (n, n + 1) and preflight.pair_free(n))
        (self.run / "practice-port").write_text(str(port))
        return port

    def _key(self) -> str:
        """Signs sessions and seals secrets: made once, lost with the data folder."""
        path = self.data / "secret-key"
        if not path.exists():
            write_private(path, secrets.token_urlsafe(64))
        return path.read_text()

    def _new_sockets(self) -> Path:
        # A socket's path may have 107 bytes, so it cannot lie below an arbitrary data folder.
        folder = Path(tempfile.mkdtemp(prefix=SOCKETS_PREFIX, dir=_short_temporary()))
        folder.chmod(0o711)  # PostgreSQL's own user passes through; each socket folder is private
        (self.run / "sockets").write_text(str(folder))
        return folder

    def _remove_sockets(self) -> None:
        remembered = self.run / "sockets"
        if remembered.exists():
            folder = Path(remembered.read_text())
            if folder.name.startswith(SOCKETS_PREFIX) and folder.parent == _short_temporary():
                shutil.rmtree(folder, ignore_errors=True)
            remembered.unlink()


def given(name: str) -> bool:
    """Whether the person who starts the system has set this setting."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def _short_temporary() -> Path:
    usual = Path(tempfile.gettempdir())
    return usual if len(str(usual)) < 60 else Path("/tmp")  # noqa: S108 (mkdtemp makes it private)
