"""What the role may do by which web servers and workers log in to a database that another one owns.

It writes to the audit log and cannot change it: neither an entry nor a seal, nor the triggers that refuse it.
"""

from django.db import connection, transaction
from psycopg.sql import SQL, Identifier, Literal

from cvdops.executions.partitions import TABLE, months
from cvdops.lib.errors import Conflict, NotFound

_DEFAULT = f"{TABLE}_default"
_READ_ONLY = ("audit_seal", "django_migrations")
_GRANTS = (
    "GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}",  # the months of the output
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
    "REVOKE UPDATE, DELETE ON audit_auditentry FROM {role}",
    "REVOKE ALL ON audit_unsealed FROM {role}",
)


def let_in(role: str, password: str) -> None:
    """Make the role if there is none, with this password; no text of it is sent or logged."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone() is None:
            cursor.execute(SQL("CREATE ROLE {} LOGIN").format(Identifier(role)))
        if password:
            server = connection.connection.pgconn
            verifier = server.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
            statement = SQL("ALTER ROLE {} PASSWORD {}")
            cursor.execute(statement.format(Identifier(role), Literal(verifier.decode())))


def grant(role: str) -> None:
    """Give a role just what the portal needs; after each migration again. Raises NotFound, Conflict."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper, rolname = current_user, current_schema() FROM pg_roles WHERE rolname = %s",
            [role],
        )
        found = cursor.fetchone()
        if found is None:
            raise NotFound("role in the database")
        is_superuser, is_owner, schema = found
        if is_superuser or is_owner:
            raise Conflict(f"{role} owns the tables or may do anything: take another role.")
        names = {"role": Identifier(role), "schema": Identifier(schema)}
        for statement in _GRANTS:
            cursor.execute(SQL(statement).format(**names))
        for table in _READ_ONLY:
            cursor.execute(
                SQL("REVOKE INSERT, UPDATE, DELETE ON {} FROM {}").format(
                    Identifier(table), names["role"]
                )
            )
        # Its owner alone may add a month to the output and take one away.
        cursor.execute(SQL("GRANT {} TO CURRENT_USER").format(names["role"]))
        for table in (TABLE, _DEFAULT, *(month.table for month in months())):
            cursor.execute(
                SQL("ALTER TABLE {} OWNER TO {}").format(Identifier(table), names["role"])
            )
