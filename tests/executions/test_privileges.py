"""The role by which the portal logs in, where another one owns the tables: it cannot change the audit log."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction

from cvdops.audit import chain
from cvdops.audit.log import record
from cvdops.audit.models import AuditEntry, Witness
from cvdops.executions import partitions, privileges
from cvdops.executions.partitions import Month
from cvdops.lib.errors import Conflict, NotFound

pytestmark = pytest.mark.django_db


@pytest.fixture
def role() -> str:
    """A role of the portal's own, until the end of the test's transaction."""
    name = f"portal_{uuid4().hex[:8]}"
    run(f"CREATE ROLE {name}")
    privileges.grant(name)
    return name


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


@contextmanager
def acting_as(role: str) -> Iterator[None]:
    """As after a login by this role."""
    run(f"SET LOCAL SESSION AUTHORIZATION {role}")
    yield
    run("SET LOCAL SESSION AUTHORIZATION DEFAULT")


def test_it_writes_entries_which_are_sealed(role: str) -> None:
    with acting_as(role):
        record(None, "x.do", "thing", 1)
        connection.check_constraints()
    walk = chain.verify({})
    assert (walk.problem, walk.head.number) == ("", 1)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditentry SET action = 'y'",
        "DELETE FROM audit_auditentry",
        "TRUNCATE audit_auditentry",
        "TRUNCATE audit_seal",
        "ALTER TABLE audit_auditentry DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_no_change ON audit_auditentry",
        "DROP TABLE audit_seal",
        "SET session_replication_role = replica",
        "INSERT INTO audit_seal VALUES (2, 2, '')",
        "UPDATE audit_seal SET hash = ''",
        "DELETE FROM audit_seal",
        "INSERT INTO audit_unsealed VALUES (1)",
        "DELETE FROM audit_unsealed",
        "SELECT audit_seal_entry(id) FROM audit_auditentry",
        "CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE sql AS ''",
        "ALTER TABLE audit_auditentry OWNER TO CURRENT_USER",
        "DELETE FROM django_migrations",
    ],
)
def test_it_cannot_change_the_log(role: str, statement: str) -> None:
    record(None, "x.do", "thing", 1)
    connection.check_constraints()
    with acting_as(role), pytest.raises(ProgrammingError), transaction.atomic():
        run(statement)
    assert chain.verify({}).problem == ""
    assert AuditEntry.objects.get().action == "x.do"


def test_what_it_plants_is_not_run_by_the_owner(role: str) -> None:
    with acting_as(role):
        run(
            "CREATE FUNCTION octet_length(character varying) RETURNS integer LANGUAGE sql"
            " AS 'SELECT 1 / 0'"
        )
        record(None, "x.do", "thing", 1)
        connection.check_constraints()
    assert chain.verify({}).problem == ""


def test_it_does_everything_else(role: str) -> None:
    with acting_as(role):
        Witness.objects.create(pk=1)
        Witness.objects.all().delete()
        partitions._make(Month(2031, 1))
        partitions.remove(Month(2031, 1), 1)


def test_it_can_be_granted_again_after_a_migration(role: str) -> None:
    privileges.grant(role)


def test_the_command_makes_the_role_of_an_address(tmp_path: Path) -> None:
    file = tmp_path / "database_url"
    file.write_text("postgresql://portal_of_mine:a%2Fb@db/cvdops\n")
    for _ in range(2):
        call_command("grant", str(file), stdout=StringIO())
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'portal_of_mine'")
        assert cursor.fetchone()[0].startswith("SCRAM-SHA-256$")


def test_a_file_without_an_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError):
        call_command("grant", str(tmp_path / "none"))


def test_the_owner_is_no_such_role() -> None:
    with pytest.raises(Conflict):
        privileges.grant(connection.settings_dict["USER"])
    with pytest.raises(NotFound):
        privileges.grant("nobody")
