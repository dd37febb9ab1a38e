"""Emptying the tables between two tests that commit."""

from django.db import connection

# Only what has rows costs anything, and what migrations and Django itself wrote stays. Without triggers
# and foreign keys: the audit log refuses to be emptied, and the order does not matter.
_EMPTY = """
DO $$
DECLARE
  one regclass;
BEGIN
  SET LOCAL session_replication_role = replica;
  SET LOCAL lock_timeout = '60s';
  FOR one IN
    SELECT oid FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> ALL (ARRAY[
      'django_migrations', 'django_content_type', 'auth_permission'])
  LOOP
    EXECUTE format('DELETE FROM %s', one);
  END LOOP;
END $$
"""


def empty(_case: object) -> None:
    """As `flush` does, in a hundredth of its time: that looks at every table, model and right."""
    with connection.cursor() as cursor:
        cursor.execute(_EMPTY)
