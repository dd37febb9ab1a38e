"""The runbook for the security audit, run against a practice CVD with weak places."""

from pathlib import Path

from cvdops.executions.models import Execution
from tests.runbooks.stage import Stage

PLANTED = (
    "users-export.csv (mode 644)",
    "legacy-admin (admin)",
    "the header Content-Security-Policy is missing",
    "the secret key has 17 characters",
    "refused logins from 203.0.113.7",
)


def audit(stage: Stage) -> Execution:
    execution = stage.run("security-audit", "audit")
    assert execution.state == "succeeded", stage.story(execution)
    return execution


def report(stage: Stage) -> str:
    folder = Path(stage.site.variables()["LOG_DIR"]) / "audits"
    return max(folder.glob("audit_*.md")).read_text()


def settings(stage: Stage) -> Path:
    return Path(stage.site.variables()["CONFIG_DIR"]) / ".env"


def test_the_audit_keeps_what_the_document_promises(stage: Stage) -> None:
    assert not stage.broken_promises(audit(stage))


def test_the_weak_places_are_found_and_no_secret_is_told(stage: Stage) -> None:
    audit(stage)
    text = report(stage)
    findings = [line for line in text.splitlines() if line.startswith("FINDING")]
    assert [p for p in PLANTED if not any(p in line for line in findings)] == []
    assert "practice-only-key" not in text


def test_hardening_closes_files_and_locks_unused_accounts(stage: Stage) -> None:
    execution = stage.run("security-audit", "harden")
    assert execution.state == "succeeded", stage.story(execution)
    assert not stage.broken_promises(execution)
    export = Path(stage.site.variables()["DATA_DIR"]) / "users-export.csv"
    assert export.stat().st_mode & 0o777 == 0o640
    audit(stage)
    assert "legacy-admin" not in report(stage)


def test_a_rotated_key_is_new_and_in_use(stage: Stage) -> None:
    before = settings(stage).read_text()
    execution = stage.run("security-audit", "rotate-the-key")
    assert execution.state == "succeeded", stage.story(execution)
    assert not stage.broken_promises(execution)
    key = settings(stage).read_text().rpartition("CVD_SECRET_KEY=")[2].strip()
    assert len(key) == 64
    assert key not in before
    assert stage.health()["status"] == "healthy"
