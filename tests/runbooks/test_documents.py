"""The project's own runbooks keep the rules that they demand of others."""

from datetime import date
from pathlib import Path

import pytest

from cvdops.spec.document import Runbook, SectionKind
from cvdops.spec.lint import lint
from cvdops.spec.parser import parse
from cvdops.spec.sections import STANDARD

FOLDER = Path(__file__).parents[2] / "runbooks"
IDS = {
    "BACKUP_RESTORE.md": "backup-restore",
    "DEPLOYMENT_RUNBOOK.md": "deployment",
    "INCIDENT_RESPONSE.md": "incident-response",
    "PERFORMANCE_TUNING.md": "performance-tuning",
    "SECURITY_AUDIT.md": "security-audit",
}
each = pytest.mark.parametrize("name", IDS)


def read(name: str) -> tuple[Runbook, str]:
    text = (FOLDER / name).read_text()
    return parse(text, name), text


@each
def test_it_can_be_executed_and_has_its_id(name: str) -> None:
    runbook, _ = read(name)
    assert runbook.executable
    assert runbook.id == IDS[name]


@each
def test_the_rules_find_nothing(name: str) -> None:
    """Among them: every variable is declared, common or set before; every command is declared."""
    runbook, text = read(name)
    updated = date.fromisoformat(str(runbook.metadata["last_updated"]))
    assert not [f"{d.line}: {d.code} {d.message}" for d in lint(runbook, text, updated)]


@each
def test_all_seven_sections_are_there_in_their_order(name: str) -> None:
    runbook, _ = read(name)
    assert tuple(section.kind for section in runbook.sections) == STANDARD


@each
def test_every_destructive_step_can_be_undone(name: str) -> None:
    runbook, _ = read(name)
    undo = {step.id for step in runbook.section(SectionKind.ROLLBACK)}
    changing = [step for step in runbook.steps if step.attributes.destructive]
    assert all(step.attributes.rollback in undo for step in changing)


def test_the_folder_holds_these_runbooks_and_no_other() -> None:
    assert {path.name for path in FOLDER.glob("*.md")} == IDS.keys()
