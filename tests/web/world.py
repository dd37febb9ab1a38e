"""A small portal to look at: roles, environments, three runbooks, people who are logged in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from cvdops.access import delegations
from cvdops.access.levels import Level
from cvdops.access.seed import seed_roles
from cvdops.accounts.models import Session, User
from cvdops.approvals import services as approvals
from cvdops.approvals.groups import Demand, Group
from cvdops.approvals.models import ApprovalRequest
from cvdops.catalog.models import CatalogSource
from cvdops.catalog.sync import sync
from cvdops.changes import matrix
from cvdops.changes.models import Change
from cvdops.changes.services import submit
from cvdops.environments.models import Contact, Hold, Host, Period
from cvdops.environments.seed import seed_environments
from cvdops.executions import drift, emergencies, services, triggers
from cvdops.executions.emergencies import Declaration
from cvdops.executions.models import Execution, Trigger
from cvdops.executions.routines import seed_routines
from cvdops.web.views import feed
from tests import tables
from tests.cast import person

VARIABLES = {"BASE_URL": "http://localhost:5000", "SERVICE_NAME": "cvd", "PATH": "/usr/bin:/bin"}

DOCUMENT = """---
format: 1
id: {id}
version: 1.0.0
category: {category}
group: {group}
purpose: Purpose of {id}
frequency: Monthly
complexity: low
estimated_time: 5-10 min
impact: Nobody notices.
last_updated: 2026-11-01
tools: [echo, "true"]
variables:
  TARGET_VERSION: {{type: version, required: true, procedures: [release]}}
  TOKEN: {{secret: true, procedures: [release]}}
---
# {title}

## Overview
About {id}. <script>alert(1)</script>

## Procedures

### Release {{#release .procedure}}

#### Ask
```approval {{#ask}}
approvers: [operations-manager]
```

#### Say it
```bash {{#say destructive rollback=unsay}}
echo "$TARGET_VERSION" "$SERVICE_NAME"
```

### Greet {{#greet .procedure}}
```bash {{#hello}}
echo hello
```

## Rollback
### Take it back
```bash {{#unsay}}
echo sorry
```
"""
RUNBOOKS = (
    ("deployment", "deployment", "core", "Deployment"),
    ("security-audit", "security", "core", "Security audit"),
    ("incident-response", "incidents", "emergency", "Incident response"),
)


@dataclass
class World:
    """What a test of the pages works with."""

    folder: Path
    sessions: Mapping[str, str] = field(default_factory=dict)  # of those who have logged in before
    clients: dict[str, Client] = field(default_factory=dict)

    def client(self, role: str) -> Client:
        """The browser of the person with this role, who has just logged in; an empty one is not logged in."""
        if role not in self.clients:
            client = Client(raise_request_exception=False)
            if role in self.sessions:
                client.cookies["sessionid"] = self.sessions[role]
            elif role:
                client.force_login(person(role))
                Session.objects.filter(user=person(role)).update(proved_at=Now())
            self.clients[role] = client
        return self.clients[role]

    def start(self, by: str = "devops-engineer", **given: object) -> Execution:
        """An execution that has been asked for and has not begun."""
        wanted = {
            "runbook": "deployment",
            "environment": "development",
            "procedure": "greet",
            "reason": "a test",
            "checklist": "confirmed",
        }
        return services.start(person(by), **{**wanted, **given})

    def named(self, values: Mapping[str, object]) -> dict[str, object]:
        """The values of an address or a form, with the words of the access table replaced."""
        makers = {
            "EXECUTION": self._execution,
            "REQUEST": self.request,
            "RECEIVER": lambda: person("outsider").username,
            "DELEGATION": self._delegation,
            "DIGEST": self._digest,
            "EMERGENCY": lambda: str(self.emergency().pk),
            "FEED": lambda: feed.token(person("auditor")),
            "HOLD": lambda: str(self.hold().pk),
            "UNTIL": lambda: f"{timezone.now() + timedelta(days=1):%Y-%m-%dT%H:%M}",
            "SERVICE": lambda: self.service().username,
            "TRIGGER": lambda: str(self.trigger()[0].pk),
            "MOMENT": lambda: f"{timezone.now() + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
            "WINDOW": lambda: str(self.window().pk),
            "CHANGE": self.change,
            "CONTACT": lambda: str(Contact.objects.get(name="Primary On-Call").pk),
            "HOLDER": lambda: person("system-admin").username,
            "HOST": lambda: str(Host.objects.get(name="practice").pk),
        }
        return {
            name: makers[v]() if isinstance(v, str) and v in makers else v
            for name, v in values.items()
        }

    def shown(self, role: str, address: str, body: Mapping[str, object]) -> dict[str, object]:
        """The body with what the page of the form gave this role's browser."""
        if body.get("nonce") != "NONCE":
            return dict(body)
        page = self.client(role).get(address.removesuffix("decide/"))
        return {**body, "nonce": nonce(page.content.decode())}

    def _execution(self) -> str:
        return str(self.start().pk)

    def request(self, **given: object) -> str:
        """An approval that `devops-engineer` asked for; no worker had to come to it."""
        wanted = {"procedure": "release", "variables": {"TARGET_VERSION": "v1.0.1"}, **given}
        asked = self.start(**wanted)
        Execution.objects.filter(pk=asked.pk).update(state="waiting")
        asked.steps.filter(key="ask").update(state="waiting")
        request = approvals.ask(
            execution=asked.pk,
            gate="ask",
            title="Ask",
            message="",
            category="deployment",
            environment="development",
            demand=Demand((Group(("operations-manager",)),), 7200),
            plan_digest=asked.plan_digest,
            present_digest=drift.present(asked).digest,
            requested_by=person("devops-engineer"),
        )
        return str(request.pk)

    def emergency(self) -> Execution:
        """An execution that was one, and is over."""
        execution, lead = self.start(), person("operations-lead", "night-lead")
        declared = Declaration("P1", "The service is down.", None, "Nobody could be reached.")
        emergencies.store(execution, lead, declared)
        Execution.objects.filter(pk=execution.pk).update(
            state="succeeded", finished_at=timezone.now()
        )
        execution.steps.update(started_at=timezone.now())
        return execution

    def hold(self, **given: object) -> Hold:
        """A hold on staging for a day, or another one."""
        owner, until = person("operations-lead"), timezone.now() + timedelta(days=1)
        made = {"owner": owner, "until": until, "reason": "A disk is being changed."}
        if "runbook" not in given:
            made["environment_id"] = "staging"
        return Hold.objects.create(**{**made, **given})

    def window(self, environment: str = "development", **given: object) -> Period:
        """A window of two hours on Sundays, or another one. No environment has any of its own."""
        known = {"starts_at": datetime(2026, 1, 4, 2, tzinfo=UTC), "minutes": 120}
        made = {"name": "Sunday night", "kind": "window", "rule": "FREQ=WEEKLY;BYDAY=SU", **known}
        return Period.objects.create(environment_id=environment, **{**made, **given})

    def change(self) -> str:
        """A proposal of the administrator, the same each time."""
        if made := Change.objects.filter(kind="matrix", state="proposed").first():
            return str(made.pk)
        value = matrix.value(Level.ASSIST)
        made = submit(person("admin"), "matrix", "developer/security", value, "They help.")
        return str(made.pk)

    def service(self) -> User:
        """A service account that may deploy."""
        account = person("devops-engineer", "ci")
        User.objects.filter(pk=account.pk).update(service=True)
        return account

    def trigger(self, **given: object) -> tuple[Trigger, str]:
        """A trigger of a lead, and its secret; the same one each time."""
        lead, account = person("operations-lead"), self.service()
        if made := Trigger.objects.filter(name="Build").first():
            return triggers.rotate(lead, made.pk)
        wanted = {
            "name": "Build",
            "runbook": "deployment",
            "procedure": "release",
            "environment": "development",
            "account": account.username,
            "mapping": {"TARGET_VERSION": "/release/tag"},
        }
        return triggers.create(lead, triggers.Wanted(**{**wanted, **given}))

    def _delegation(self) -> str:
        giver, receiver = person("operations-manager"), person("developer")
        tomorrow = timezone.now() + timedelta(days=1)
        return str(delegations.delegate(giver, receiver.username, tomorrow, "away").pk)

    def _digest(self) -> str:
        return ApprovalRequest.objects.latest("created_at").plan_digest


def nonce(page: str) -> str:
    """The mark of a decision page; empty where nothing can be decided."""
    found = re.search(r'name="nonce" value="([^"]+)"', page)
    return found[1] if found else ""


def make(folder: Path) -> World:
    """On empty tables."""
    seed_roles()
    seed_environments(VARIABLES)
    seed_routines()
    write(folder)
    report = sync(folder)
    assert {r.action for r in report.results} == {"added"}, report
    return World(folder)


def again(folder: Path, rows: str, sessions: Mapping[str, str] | None = None) -> World:
    """One of which these are the rows, as if it had been made here: that takes a tenth of the time."""
    write(folder)
    tables.fill(rows)
    CatalogSource.objects.update(location=str(folder))
    Session.objects.update(proved_at=Now())
    return World(folder, sessions or {})


def write(folder: Path) -> None:
    """The runbooks."""
    for runbook, category, group, title in RUNBOOKS:
        text = DOCUMENT.format(id=runbook, category=category, group=group, title=title)
        (folder / f"{runbook}.md").write_text(text)
