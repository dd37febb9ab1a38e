"""The runbook for backup and restore, run against a practice CVD."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.runbooks.stage import Stage


def backups(stage: Stage) -> list[Path]:
    return sorted(Path(stage.site.variables()["BACKUP_DIR"]).glob("cvd_*.db"))


def test_a_backup_is_taken_with_its_checksum(stage: Stage) -> None:
    before = set(backups(stage))
    execution = stage.run("backup-restore", "backup-database", BACKUP_LABEL="nightly")
    assert execution.state == "succeeded", stage.story(execution)
    (fresh,) = set(backups(stage)) - before
    assert fresh.name.startswith("cvd_nightly_")
    assert fresh.with_name(f"{fresh.name}.sha256").exists()
    assert not stage.broken_promises(execution)


def test_all_backups_are_verified(stage: Stage) -> None:
    execution = stage.run("backup-restore", "verify-backups")
    assert execution.state == "succeeded", stage.story(execution)
    assert not stage.broken_promises(execution)


def test_a_damaged_backup_is_found(stage: Stage) -> None:
    with backups(stage)[0].open("r+b") as file:
        file.seek(5000)
        file.write(b"damaged")
    execution = stage.run("backup-restore", "verify-backups")
    assert execution.waiting_for["step"] == "check-every-backup", stage.story(execution)
    assert "CHECKSUM DIFFERS" in stage.scene.output(execution, "check-every-backup")


def test_the_application_is_packed(stage: Stage) -> None:
    execution = stage.run("backup-restore", "backup-application")
    assert execution.state == "succeeded", stage.story(execution)
    assert not stage.broken_promises(execution)


def test_a_restore_brings_back_what_was_lost(stage: Stage) -> None:
    before = stage.data()
    stage.run("backup-restore", "backup-database")
    stage.change("DELETE FROM service_orders")
    execution = stage.run("backup-restore", "restore-database")
    assert execution.state == "succeeded", stage.story(execution)
    assert stage.data() == before
    assert not stage.broken_promises(execution)


def test_a_restore_that_fails_is_undone(stage: Stage) -> None:
    before = stage.data()
    damaged = backups(stage)[-1].with_name("from_elsewhere.db")
    damaged.write_bytes(backups(stage)[-1].read_bytes())
    with closing(sqlite3.connect(damaged)) as database:
        database.execute("DROP TABLE schema_migrations")
    execution = stage.run("backup-restore", "restore-database", RESTORE_FILE=str(damaged))
    assert execution.waiting_for["step"] == "migrate-the-restored-database", stage.story(execution)
    stage.roll_back(execution)
    assert execution.state == "rolled_back", stage.story(execution)
    assert stage.health()["status"] == "healthy"
    assert stage.data() == before
