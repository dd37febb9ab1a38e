"""The examples in the reference of the format that a shell alone cannot run, run by the engine."""

from pathlib import Path

import pytest

from cvdops.catalog.sync import sync
from cvdops.executions import services
from cvdops.executions.models import Execution
from cvdops.spec.parser import parse
from tests.executions.scene import Scene
from tests.http_server import HttpServer, answer
from tests.spec.examples import DOCS, Example, examples, whole

EXAMPLES = [
    e for e in examples(DOCS / "runbook-format.md") if "example" in e.marks and "run" not in e.marks
]
# The programs that the examples call, each of which says that all is well.
PROGRAMS = ("systemctl", "sudo", "migrate", "warm-up", "publish")
CHILD = """---
id: backup-restore
category: incidents
variables: {BACKUP_LABEL: manual}
---
# Back up

## Procedures {#backup-database}

```bash
echo "${BACKUP_LABEL}"
```
"""
NOT_RUN = {"troubleshooting": "its blocks are shown and never run, so it has no procedure"}


def kind(example: Example) -> str:
    """The language of its first block that is no plain script, else its first words."""
    for language in ("http", "approval", "manual", "runbook"):
        if f"```{language} " in example.text:
            return language
    return example.text.split("\n")[0].strip("#- ").partition(" {")[0].lower()


@pytest.fixture
def ready(scene: Scene, tmp_path: Path) -> Scene:
    """The scene with everything that the examples take for granted."""
    programs = tmp_path / "programs"
    programs.mkdir()
    programs.chmod(0o755)
    for name in PROGRAMS:
        (programs / name).write_text("#!/bin/sh\necho active\n")
        (programs / name).chmod(0o755)
    scene.environment.hosts.create(name="web", transport="local")
    places = {"DATABASE_PATH": "cvd.db", "BACKUP_DIR": "backups"}
    values = {name: str(tmp_path / place) for name, place in places.items()}
    (tmp_path / "backups").mkdir(mode=0o777)
    for file in (tmp_path / "cvd.db", tmp_path / "backups/cvd.db"):
        file.write_text("")
        file.chmod(0o666)
    values |= {"PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin", "SERVICE_NAME": "cvd"}
    for name, value in values.items():
        scene.environment.variables.create(name=name, value=value)
    return scene


def placed(example: Example, scene: Scene) -> list[str]:
    """Put the example into the catalog as the runbook `trial`; the keys of its procedures."""
    text = whole(example).replace("/opt/cvd/bin", str(scene.folder / "programs"))
    if text.startswith("---\n"):
        text = text.replace("---\n", "---\nid: trial\ncategory: incidents\n", 1)
    else:
        text = text.replace("## Metadata\n", "## Metadata\n- **Category**: Incidents\n", 1)
    if not parse(text).procedures:
        text = text.replace("## Rollback", "## Procedures\n\n```bash\ntrue\n```\n\n## Rollback")
    (scene.folder / "TRIAL.md").write_text(text)
    (scene.folder / "CHILD.md").write_text(CHILD)
    sync(scene.folder)
    return [p.key for p in parse(text, "TRIAL.md").procedures]


def finish(scene: Scene, execution: Execution) -> Execution:
    """Do what people and child executions have to do, until the execution is over."""
    for _ in range(8):
        execution = scene.advance(execution)
        waiting = [step for step in execution.steps.all() if step.state == "waiting"]
        if not waiting:
            break
        (step,) = waiting
        if step.kind == "approval":
            scene.approve(execution)
        elif step.kind == "runbook":
            scene.advance(step.children.get())
        else:
            marks = [mark.position for mark in step.checklist.all()]
            services.confirm(scene.person("devops-engineer"), execution.pk, step.pk, marks, "4711")
    return execution


@pytest.mark.parametrize("example", [e for e in EXAMPLES if kind(e) not in NOT_RUN], ids=kind)
def test_an_example_runs_to_its_end(example: Example, ready: Scene) -> None:
    keys = placed(example, ready)
    assert keys
    with HttpServer(answer(b'{"status": "healthy", "version": "1.4"}')) as server:
        ready.environment.addresses.create(host="127.0.0.1", port=server.port)
        ready.environment.variables.create(name="BASE_URL", value=server.url)
        for key in keys:
            execution = finish(ready, ready.start(procedure=key))
            assert (key, execution.state, execution.outcome) == (key, "succeeded", "")
        assert bool(server.requests) is (kind(example) == "http")


def test_what_does_not_run_has_nothing_to_run() -> None:
    for example in (e for e in EXAMPLES if kind(e) in NOT_RUN):
        assert [s.id for s in parse(whole(example)).steps if s.id != "start-again"] == []
