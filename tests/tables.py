"""The tables: emptied between two tests that commit, and filled with what many tests begin with."""

from django.db import connection, transaction

Rows = dict[str, bytes]  # by table, as PostgreSQL copies them

# Only what has rows costs anything, and what migrations and Django itself wrote stays. Without triggers
# and foreign keys: the audit log refuses to be emptied, and the order does not matter.
_OURS = """
SELECT oid::regclass::text FROM pg_class
 WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> ALL (ARRAY[
   'django_migrations', 'django_content_type', 'auth_permission'])
"""
_EMPTY = f"""
DO $$
DECLARE
  one text;
BEGIN
  SET LOCAL session_replication_role = replica;
  SET LOCAL lock_timeout = '60s';
  FOR one IN {_OURS} LOOP
    EXECUTE 'DELETE FROM ' || one;
  END LOOP;
END $$
"""  # noqa: S608 — of its own constant
_FILL = """
CREATE FUNCTION {name}.fill() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  SET LOCAL session_replication_role = replica;
  {steps}
  SET LOCAL session_replication_role = origin;
END $$
"""


def empty(_case: object) -> None:
    """As `flush` does, in a hundredth of its time: that looks at every table, model and right."""
    with connection.cursor() as cursor:
        cursor.execute(_EMPTY)


def rows() -> Rows:
    """All that there is now, for `keep`. Their numbers are never given again."""
    found: Rows = {}
    with connection.cursor() as cursor:
        cursor.execute(_OURS)
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT FROM {table} LIMIT 1")
            if cursor.rowcount:
                with cursor.copy(f"COPY {table} TO STDOUT (FORMAT binary)") as copy:
                    found[table] = b"".join(copy)
    return found


def keep(name: str, found: Rows) -> None:
    """Have them beside the tables, from where `fill` takes them in one statement, planned once."""
    steps = []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}")
        for table, data in found.items():
            cursor.execute(f"CREATE TABLE {name}.{table} AS TABLE {table} WITH NO DATA")
            with cursor.copy(f"COPY {name}.{table} FROM STDIN (FORMAT binary)") as copy:
                copy.write(data)
            steps.append(f"DELETE FROM {table}; INSERT INTO {table} TABLE {name}.{table};")  # noqa: S608 — names of PostgreSQL
        cursor.execute(_FILL.format(name=name, steps="\n".join(steps)))


def fill(name: str) -> None:
    """Put what is kept by this name in the place of all that its tables have."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {name}.fill()")
