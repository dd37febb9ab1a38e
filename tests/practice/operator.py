"""Somebody who works on a practice CVD: commands as a step runs them, and requests."""

import http.client
import json
import subprocess
from pathlib import Path
from typing import Any

from cvdops.practice.site import Site
from cvdops.runners.job import MARKER


class Operator:
    """Uses one site through its variables alone, as the steps of a runbook do."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def run(self, script: str, **options: Any) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["bash", "-c", script],
            env={"HOME": "/nonexistent", MARKER: "attempt-1", **self.site.variables()},
            cwd=self.site.variables()["APPLICATION_DIR"],
            capture_output=True,
            text=True,
            timeout=120,
            **options,
        )

    def lines(self, script: str) -> list[str]:
        done = self.run(script)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def get(self, path: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=60)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        is_json = answer.getheader("Content-Type", "").startswith("application/json")
        return answer.status, json.loads(text) if is_json else text

    def deploy(self, version: str) -> None:
        self.lines(
            f'git fetch --tags && git checkout {version} && python3 migrate.py "$DATABASE_PATH"'
            ' && sudo systemctl restart "$SERVICE_NAME"'
        )

    def process(self) -> int:
        return int(self.lines("systemctl show cvd -p MainPID --value")[0])


def environment_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/environ").read_text().split("\0")


def open_files_of(pid: int) -> list[str]:
    return [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
