"""Each line of docs/api-calls.md, run by a shell against a running portal."""

import os
import subprocess
from datetime import timedelta

from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from cvdops.access.levels import Level
from cvdops.access.models import MatrixCell, Role, RoleGrant
from cvdops.api.curl import calls, curl
from cvdops.api.examples import BODIES
from cvdops.api.urls import described
from cvdops.approvals.models import ApprovalRequest
from cvdops.environments.models import Environment, Host
from cvdops.executions.models import HostCheck
from tests.api import write_docs
from tests.api.calls import token
from tests.cast import person
from tests.web.world import World

# Who is meant to call; everything else is asked by somebody who leads and administers.
WHO = {
    "approvals.decide": "operations-manager",
    "people.delegate": "operations-manager",
    "changes.withdraw": "admin",
    "people.end": "operations-manager",
}
# What no example here is in a state for: the answer says so (409, 422), and its tests are elsewhere.
NOT_NOW = {
    "controls.resume", "controls.rollback", "controls.give_up", "controls.go_on", "steps.confirm",
    "steps.retry", "steps.skip", "steps.settle", "taking_part.leave", "taking_part.close_item",
    "taking_part.renew", "triggers.enable", "accounts.reopen",
}  # fmt: skip
ELSEWHERE = {
    "environments.reset_practice"
}  # 404: there is no practice CVD here; see tests/practice
STREAMS = {"events.events"}  # it ends with its execution
CALLS = [(name, method, path) for name, method, path, _ in calls(described())]


def test_the_page_is_that_of_the_description() -> None:
    """If not: python -m tests.api.write_docs."""
    assert write_docs.PLACE.read_text(encoding="utf-8") == write_docs.text()


def test_every_body_has_an_example() -> None:
    """In cvdops/api/examples.py."""
    taken = {call["operationId"] for _, _, _, call in calls(described()) if "requestBody" in call}
    assert taken == set(BODIES)


def test_each_line_is_answered(live_server: LiveServer, world: World) -> None:
    Environment.objects.update(practice=False)
    lead = person("operations-lead")
    RoleGrant.objects.create(user=lead, role=Role.objects.get(pk="admin"))
    for role in ("developer", "system-admin", "cto"):
        person(role)
    said, unlike = {}, {}
    for name, method, path in CALLS:
        if name == "triggers.deliver" or name in STREAMS:
            continue  # signed, below; a stream ends with its execution
        line = curl(name, method, path)
        status = run(line, surroundings(name, line, world, live_server.url))
        said[name] = status
        refused = {"409", "422"} if name in NOT_NOW else {"404"} if name in ELSEWHERE else set()
        if not status.startswith("2") and status not in refused:
            unlike[name] = status
    assert unlike == {}
    assert len(said) > 80


def surroundings(name: str, line: str, world: World, url: str) -> dict[str, str]:
    """The variables of the shell, for things that the call is about."""
    if "$CHANGE" in line:
        MatrixCell.objects.filter(role="developer", category="security").update(level=Level.REVIEW)
    words = ("EXECUTION", "CHANGE", "HOLD", "CONTACT", "TRIGGER", "DELEGATION")
    named = world.named({word: word for word in words if f"${word}" in line})
    found = {word: str(value) for word, value in named.items()}
    if name.startswith("approvals.") or name == "taking_part.renew":
        found["REQUEST"] = world.request()
        found["DIGEST"] = ApprovalRequest.objects.latest("created_at").plan_digest
    if "$SESSION" in line:
        world.client("operations-lead")
        found["SESSION"] = person("operations-lead").sessions.first().public_id
    if "$NUMBER" in line:
        token("operations-lead")
        found["NUMBER"] = str(person("operations-lead").tokens.earliest("pk").pk)
    if name == "triggers.create":
        world.service()
    if name == "taking_part.review":
        found["EXECUTION"] = str(world.emergency().pk)
    if name == "changes.remove_period":
        world.window("staging")
    if name == "hosts.confirm_key":
        key = {"kind": "ssh-ed25519", "key": "AAAA", "fingerprint": "SHA256:abc"}
        host = Host.objects.get(name="practice")
        HostCheck.objects.create(host=host, requested_by=person("developer"), keys=[key])
    return {
        **found,
        "FINGERPRINT": "SHA256:abc",
        "TOMORROW": f"{timezone.now() + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
        "PORTAL": url,
        "TOKEN": token(WHO.get(name, "operations-lead")),
    }


def run(line: str, environment: dict[str, str]) -> str:
    """The status of the answer."""
    command = f"{line} -o /dev/null -w '%{{http_code}}'"
    done = subprocess.run(
        ["bash", "-euc", command],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


SIGNED = """
BODY='{"release": {"tag": "v1.0.1"}}' WHEN=$(date +%s) DELIVERY=build-4711
SIGNED="$WHEN.$DELIVERY.$BODY"
SIGNATURE=$(printf %s "$SIGNED" | openssl dgst -sha256 -hmac "$SECRET" | sed 's/^.* //')
curl -sS -X POST -H 'Content-Type: application/json' -d "$BODY" \\
  -H "X-Cvdops-Timestamp: $WHEN" -H "X-Cvdops-Delivery: $DELIVERY" \\
  -H "X-Cvdops-Signature: sha256=$SIGNATURE" "$PORTAL/api/v1/triggers/$TRIGGER/deliver"
""".strip()


def test_a_delivery_is_signed_by_openssl(live_server: LiveServer, world: World) -> None:
    page = (write_docs.PLACE.parent / "api.md").read_text(encoding="utf-8")
    lines = "\n".join(line.removeprefix("    ") for line in page.splitlines())
    assert SIGNED in lines
    made, secret = world.trigger()
    where = {"PORTAL": live_server.url, "TRIGGER": str(made.pk), "SECRET": secret}
    assert run(SIGNED, where) == "201"
