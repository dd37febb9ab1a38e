"""`cvdops` as a program of its own, with Python's standard library alone."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.api.calls import token

PROJECT = Path(__file__).parents[2]
USUAL = ("--env", "development", "--reason", "a test", "--confirm-checklist")


@dataclass(frozen=True)
class Done:
    """What it ended with, and what it said."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Program:
    """Somebody's command line."""

    environment: dict[str, str]

    @classmethod
    def of(cls, role: str, port: int, home: Path, *scopes: str) -> "Program":
        return cls(
            {
                "CVDOPS_URL": f"http://localhost:{port}",
                "CVDOPS_TOKEN": token(role, *scopes),
                "HOME": str(home),
            }
        )

    def begin(self, *arguments: str, **options: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-S", "-m", "cvdops.client", *arguments]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(
            command,
            cwd=PROJECT,
            env=self.environment,
            bufsize=0,  # what is read here line by line and what is read of the rest are one stream
            **{"stdin": subprocess.DEVNULL, **streams, **options},
        )

    def run(self, *arguments: str, **environment: str) -> Done:
        program = Program({**self.environment, **environment}).begin(*arguments)
        out, err = program.communicate(timeout=120)
        assert b"Traceback" not in err, err.decode()
        return Done(program.returncode, out.decode(), err.decode())
