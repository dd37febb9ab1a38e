"""A stage for the project's own runbooks: a practice CVD, and people who do what a runbook asks of them."""

import json
import sqlite3
import urllib.request
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

from cvdops.catalog.sync import sync
from cvdops.environments.models import Environment
from cvdops.environments.seed import DATABASE
from cvdops.executions import services
from cvdops.executions.models import ChecklistMark, Execution
from cvdops.practice.site import Site
from cvdops.stack.portal import PROJECT
from tests.executions.scene import Scene, make
from tests.waiting import until

PATIENCE = 180  # seconds that a procedure may take in all


@dataclass
class Stage:
    """The practice CVD and the scene that runs against it."""

    scene: Scene
    site: Site

    def run(self, runbook: str, procedure: str, **variables: str) -> Execution:
        """Start a procedure and do for it whatever it asks, until it ends or a step has failed."""
        execution = services.start(
            self.scene.person("operations-lead"),
            runbook=runbook,
            environment="development",
            procedure=procedure,
            variables=variables,
            reason="a test",
            checklist="confirmed",
        )
        return self.settle(execution)

    def settle(self, execution: Execution) -> Execution:
        """Let it go as far as it can."""
        until(lambda: self._moved(execution), PATIENCE, f"the end of {execution.runbook_id}")
        return execution

    def roll_back(self, execution: Execution) -> Execution:
        services.roll_back(self.scene.person("operations-lead"), execution.pk)
        return self.settle(execution)

    def _moved(self, execution: Execution) -> bool:
        """Whether it is over, or stuck at a step."""
        self.scene.advance(execution)
        code = execution.waiting_for.get("code", "")
        if code == "approval":
            self.scene.approve(execution)
        elif code == "person":
            self._confirm(execution)
        return execution.is_over or code == "step"

    def _confirm(self, execution: Execution) -> None:
        step = execution.steps.get(state="waiting")
        marks = ChecklistMark.objects.filter(step=step).values_list("position", flat=True)
        services.confirm(
            self.scene.person("operations-lead"), execution.pk, step.pk, list(marks), "done"
        )

    def story(self, execution: Execution) -> str:
        """What every step has come to, for the message of a failed assertion."""
        lines = [f"{execution.state}: {execution.waiting_for} {execution.outcome}"]
        for step in execution.steps.all():
            lines.append(f"{step.key}: {step.state} {step.exit_code} {step.sample} {step.note}")
            if step.attempt_count and step.state != "succeeded":
                lines.append(self.scene.output(execution, step.key))
        return "\n".join(lines)

    def broken_promises(self, execution: Execution) -> list[str]:
        """The samples of the document that the steps did not keep."""
        return [
            f"{step.key}: {step.sample_detail}" for step in execution.steps.filter(sample="differs")
        ]

    def health(self) -> dict[str, str]:
        with urllib.request.urlopen(f"{self.site.base_url}/health", timeout=60) as answer:  # noqa: S310
            found: dict[str, str] = json.load(answer)
        return found

    def data(self) -> tuple[list[object], ...]:
        """All rows of the database that a release must not lose, and its schema's version."""
        tables = ("users", "devices", "planograms", "service_orders", "schema_migrations")
        path = self.site.variables()["DATABASE_PATH"]
        with closing(sqlite3.connect(path)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            return tuple(
                database.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
                for table in tables
            )

    def change(self, statement: str) -> None:
        """As the service's users would."""
        with closing(sqlite3.connect(self.site.variables()["DATABASE_PATH"])) as database, database:
            database.execute(statement)


def build(site: Site) -> Stage:
    """Everything on an empty database; the site runs already."""
    scene = make(site.root)
    environment = Environment.objects.get(pk="development")
    for name, value in site.variables().items():
        environment.variables.update_or_create(name=name, defaults={"value": value})
    environment.databases.create(name=DATABASE, kind="sqlite", location="${DATABASE_PATH}")
    environment.addresses.create(host="127.0.0.1", port=site.port)
    # without their history: each version of each would be read for each test
    report = sync(Path(copytree(PROJECT / "runbooks", site.root / "runbooks")))
    assert all(result.action == "added" for result in report.results), report
    return Stage(scene, site)
