"""A scene for the engine: people, an environment with this machine as its host, runbooks from text."""

from dataclasses import dataclass, field
from pathlib import Path

from cvdops.access.seed import seed_roles
from cvdops.accounts.models import User
from cvdops.approvals.models import ApprovalRequest
from cvdops.catalog.sync import sync
from cvdops.environments.models import Environment
from cvdops.executions import engine, output, services
from cvdops.executions.models import Execution, StepRun
from tests import cast

HEAD = """---
format: 1
id: trial
version: 1.0.0
category: deployment
tools: [echo, cat, sleep, true, false, printf, touch, kill, sh, mkdir, seq]
{extra}---
# Trial

## Overview
A runbook of the tests.

## Procedures

### Do it {{.procedure}}

{body}
"""
ROLLBACK = "\n## Rollback\n\n"


@dataclass
class Scene:
    """What a test of the engine works with."""

    folder: Path
    environment: Environment
    people: dict[str, User] = field(default_factory=dict)

    def person(self, role: str) -> User:
        """Somebody with this role, made once."""
        if role not in self.people:
            self.people[role] = cast.person(role)
        return self.people[role]

    def runbook(
        self, body: str, rollback: str = "", extra: str = "", category: str = "deployment"
    ) -> None:
        """Put this runbook into the catalog. Step headings are H4."""
        text = HEAD.format(extra=extra, body=body) + (ROLLBACK + rollback if rollback else "")
        text = text.replace("category: deployment", f"category: {category}")
        (self.folder / "TRIAL.md").write_text(text)
        report = sync(self.folder)
        assert report.results[0].action in {"added", "updated", "unchanged"}, report

    def other(self, name: str, body: str, extra: str = "") -> None:
        """Put another runbook into the catalog, with the procedure `do-it`."""
        text = HEAD.format(extra=extra, body=body).replace("id: trial", f"id: {name}")
        (self.folder / f"{name.upper()}.md").write_text(text)
        sync(self.folder)

    def start(self, by: str = "devops-engineer", **given: object) -> Execution:
        """Start it, or another `runbook`, confirmed; nothing has run yet."""
        usual = {"environment": "development", "reason": "a test", "checklist": "confirmed"}
        return services.start(self.person(by), **{"runbook": "trial", **usual, **given})

    def run(self, **given: object) -> Execution:
        """Start it and let the engine go as far as it can."""
        return self.advance(self.start(**given))

    def advance(self, execution: Execution) -> Execution:
        engine.advance(execution.pk, "test")
        execution.refresh_from_db()
        return execution

    def steps(self, execution: Execution) -> dict[str, StepRun]:
        return {step.key: step for step in execution.steps.all()}

    def states(self, execution: Execution) -> dict[str, str]:
        return {step.key: step.state for step in execution.steps.all()}

    def output(self, execution: Execution, key: str) -> str:
        """What the last attempt of a step wrote, as stored."""
        attempt = execution.steps.get(key=key).attempts.last()
        return output.read(attempt.pk).decode()

    def gate(self, execution: Execution) -> ApprovalRequest:
        return ApprovalRequest.objects.get(execution_id=execution.pk, state="open")

    def approve(self, execution: Execution, by: str = "operations-manager") -> None:
        request = self.gate(execution)
        services.decide(self.person(by), request.pk, "approve", "", request.plan_digest)


def make(folder: Path) -> Scene:
    """A scene on an empty database."""
    seed_roles()
    environment = Environment.objects.create(slug="development", name="Development")
    environment.hosts.create(name="here", transport="local", default=True)
    environment.variables.create(name="ENVIRONMENT", value="development")
    return Scene(folder, environment)
