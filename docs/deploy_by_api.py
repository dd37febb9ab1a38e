#!/usr/bin/env python3
"""From a bare machine to a deployed release, by the API alone.

    python3 docs/deploy_by_api.py [--port 8000] [--version v1.0.1]

Starts the one-command system, asks for a deployment as `devops-engineer`, approves it as `operations-manager`,
follows the events to the end, and asks the practice CVD which version it is. Ends with 0 if that is the
wanted one. It needs what `make up` needs, and of Python only the standard library.
"""

import argparse
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


def main() -> int:
    parser = argparse.ArgumentParser(description="Deploy a release to the practice CVD by the API.")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--version", default="v1.0.1")
    asked = parser.parse_args()
    system = subprocess.Popen(["make", "up", f"PORT={asked.port}"], cwd=PROJECT)
    try:
        url = f"http://localhost:{asked.port}"
        wait_ready(url, system)
        return deploy(url, asked.version)
    finally:
        system.terminate()
        system.wait()


def wait_ready(url, system):
    """The first start installs what it needs and takes about a minute."""
    while True:
        if system.poll() is not None:
            sys.exit("The system did not start: what it printed says why.")
        try:
            urllib.request.urlopen(f"{url}/readyz", timeout=5).close()
            return
        except OSError:
            time.sleep(0.5)


def deploy(url, version):
    engineer = Portal(url, token("devops-engineer", "read", "run"))
    manager = Portal(url, token("operations-manager", "read", "approve"))

    execution = engineer.post(
        "executions",
        runbook="deployment",
        procedure="deploy",
        environment="development",
        variables={"TARGET_VERSION": version},
        reason="shown by docs/deploy_by_api.py",
        checklist="confirmed",
    )
    print(f"#{execution['number']} was asked for: {url}{execution['url']}")

    for event, data in engineer.events(execution["id"]):
        if event == "output":
            print(data.get("text", ""), end="", flush=True)
        elif event == "execution":
            waits = waits_for(engineer, execution["id"])
            if waits == "approval":
                approve(manager, execution["id"])
            elif waits == "step":  # one failed, and somebody would decide what becomes of it
                break

    ended = engineer.get(f"executions/{execution['id']}")
    print(f"#{ended['number']} {ended['state']}. {ended['outcome']}".rstrip())

    variables = engineer.get("environments/development")["variables"]
    base = next(one["value"] for one in variables if one["name"] == "BASE_URL")
    with urllib.request.urlopen(f"{base}/health", timeout=10) as answer:
        runs = json.load(answer)["version"]
    print(f"The practice CVD at {base} runs {runs}.")
    return 0 if ended["state"] == "succeeded" and runs == version else 1


def waits_for(engineer, execution):
    """The code of what it waits for now."""
    waits = engineer.get(f"executions/{execution}")["waiting_for"]
    return waits["code"] if waits else ""


def approve(manager, execution):
    """Approve what waits of this execution: exactly the plan that was read."""
    for request in manager.get("approvals?state=open")["items"]:
        if request["execution"] == execution:
            manager.post(
                f"approvals/{request['id']}/decide",
                decision="approve",
                plan_digest=request["plan_digest"],
                comment="read",
            )
            print(f"Approved: {request['title']}")


def token(user, *scopes):
    """Printed once, kept by nobody else. Anybody else makes theirs under *Account*."""
    name = f"deploy_by_api {uuid.uuid4()}"
    wanted = [argument for scope in scopes for argument in ("--scope", scope)]
    command = [".venv/bin/python", "manage.py", "token", user, "--name", name, "--expires", "1d"]
    done = subprocess.run(
        [*command, *wanted], cwd=PROJECT, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout.strip()


class Portal:
    """The API, asked with somebody's token."""

    def __init__(self, url, token):
        self.root, self.headers = f"{url}/api/v1/", {"Authorization": f"Bearer {token}"}

    def get(self, path):
        return self._json(urllib.request.Request(self.root + path, headers=self.headers))

    def post(self, path, **body):
        """With a key: sent again because its answer was lost, it would have one effect."""
        headers = {
            **self.headers,
            "Content-Type": "application/json",
            "Idempotency-Key": str(uuid.uuid4()),
        }
        data = json.dumps(body).encode()
        return self._json(urllib.request.Request(self.root + path, data, headers))

    def events(self, execution):
        """Every event to the end, each once, however often the connection breaks."""
        last = "0"
        while True:
            headers = {**self.headers, "Last-Event-ID": last}
            path = f"{self.root}executions/{execution}/events"
            try:
                request = urllib.request.Request(path, headers=headers)
                with urllib.request.urlopen(request, timeout=30) as stream:
                    if stream.status == 204:  # it is over, and everything was told
                        return
                    for event, data, position in messages(stream):
                        last = position or last
                        if event == "end":
                            return
                        yield event, data
            except urllib.error.HTTPError as error:
                if error.code not in (429, 503):
                    raise
            except OSError:
                pass
            time.sleep(1)

    def _json(self, request):
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            sys.exit(f"{request.full_url}: {error.code}\n{error.read().decode()}")


def messages(stream):
    """Server-sent events: name, data, position."""
    event, data, position = "", "", ""
    for line in stream:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name == "event":
            event = value
        elif name == "data":
            data += value
        elif name == "id":
            position = value
        elif not name:
            if data:
                yield event, json.loads(data), position
            event, data, position = "", "", ""


if __name__ == "__main__":
    sys.exit(main())
