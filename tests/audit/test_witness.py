"""The running check of the chain, what it notes outside the database, and the command that checks it all."""

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F
from pytest_django import Settings

from cvdops.audit import chain, heads, witness
from cvdops.audit.models import AuditEntry, Seal, Witness
from cvdops.executions.restoring import hold_everything
from tests.audit.test_chain import by_force, written

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def file(settings: Settings, tmp_path: Path) -> Path:
    settings.AUDIT_HEADS = tmp_path / "heads" / "file"
    return settings.AUDIT_HEADS


def look() -> Witness:
    """As a minute later."""
    Witness.objects.update(looked_at=F("looked_at") - timedelta(minutes=1))
    assert witness.look()
    return witness.standing()


def test_a_look_says_that_the_log_is_whole_and_notes_its_head(file: Path) -> None:
    written()
    now = look()
    assert (now.problem, now.whole_number, now.outside) == ("", 5, "")
    (line,) = file.read_text().splitlines()
    assert line.endswith(f" 5 {bytes(Seal.objects.get(pk=5).hash).hex()}")
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_same_head_is_noted_once(file: Path) -> None:
    written()
    look()
    look()
    assert len(file.read_text().splitlines()) == 1


def test_two_workers_do_not_look_at_the_same_time() -> None:
    written()
    assert witness.look()
    assert not witness.look()


def test_a_long_chain_is_checked_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness, "PART", 2)
    ids = written()
    assert [look().whole_number for _ in range(3)] == [0, 0, 5]
    by_force("DELETE FROM audit_auditentry WHERE id = %s", ids[3])
    problems = [look().problem for _ in range(3)]
    assert problems[0] == "" and f"Entry {ids[3]}," in problems[1] and problems[1] == problems[2]


def test_a_problem_stays_until_a_whole_round_found_none() -> None:
    ids = written()
    by_force("UPDATE audit_auditentry SET action = 'no' WHERE id = %s", ids[0])
    assert look().problem
    by_force("UPDATE audit_auditentry SET action = 'x.do' WHERE id = %s", ids[0])
    assert look().problem == ""


def test_a_cut_tail_is_seen_at_the_next_look() -> None:
    written()
    look()
    by_force("DELETE FROM audit_seal WHERE number > 3")
    by_force("DELETE FROM audit_auditentry WHERE id NOT IN (SELECT entry_id FROM audit_seal)")
    assert "not what was noted outside" in look().problem


def test_a_place_that_cannot_be_written_to_is_said(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "full").write_text("")
    settings.AUDIT_HEADS = tmp_path / "full" / "file"
    written()
    assert "Not a directory" in look().outside


def test_a_line_that_the_end_of_the_machine_cut_off_is_written_anew(file: Path) -> None:
    written()
    look()
    file.write_text(file.read_text()[:-9])
    look()
    assert heads.known() == {5: bytes(Seal.objects.get(pk=5).hash)}


def verify() -> str:
    out = StringIO()
    call_command("verify_audit", stdout=out)
    return out.getvalue()


def test_the_command_says_that_it_is_whole() -> None:
    written()
    look()
    assert "is whole: 5 entries" in verify() and "all fit: 1." in verify()


def test_the_command_names_the_first_broken_entry() -> None:
    ids = written()
    by_force("UPDATE audit_auditentry SET subject = 'no' WHERE id = ANY(%s)", ids[2:])
    with pytest.raises(CommandError, match=f"Entry {ids[2]}, ") as error:
        verify()
    assert error.value.returncode == 1


def test_the_command_finds_a_chain_made_anew() -> None:
    ids = written()
    look()
    by_force("DELETE FROM audit_auditentry WHERE id = %s", ids[0])
    by_force("DELETE FROM audit_seal")
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_seal_entry(id) FROM audit_auditentry ORDER BY id")
    assert chain.verify({}).problem == ""
    with pytest.raises(CommandError, match="number 5 had been noted outside"):
        verify()


def test_a_damaged_file_of_heads_is_another_error(file: Path) -> None:
    written()
    look()
    file.write_text("nonsense\n" + file.read_text())
    with pytest.raises(CommandError, match="no head of the chain") as error:
        verify()
    assert error.value.returncode == 2


def test_after_a_restored_backup_the_shorter_chain_is_right_again(file: Path) -> None:
    written()
    look()
    by_force("DELETE FROM audit_seal WHERE number > 3")
    by_force("DELETE FROM audit_auditentry WHERE id NOT IN (SELECT entry_id FROM audit_seal)")
    hold_everything()
    connection.check_constraints()
    assert " 3 restored" in file.read_text()
    assert look().problem == ""
    assert f"whole: {AuditEntry.objects.count()} entries" in verify()
