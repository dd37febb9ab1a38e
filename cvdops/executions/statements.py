"""The statements of the hot path, planned once by the server for each connection.

The ORM's cursors put values into the text, so the server plans every statement anew: for a transition
of a step that takes longer than carrying it out.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connection


def prepared(sql: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
    """Run a statement on the current connection, in its transaction if there is one; its first row.

    Raises the errors of django.db.
    """
    connection.validate_no_broken_transaction()
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(sql, values, prepare=True)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row
