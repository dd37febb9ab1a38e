"""Statements that the server plans once for each connection, where they come again and again.

The ORM's cursors put values into the text, so the server plans every statement anew: for a transition
of a step, or for what every page and call asks, that takes longer than carrying it out.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper


def cursor() -> CursorWrapper:
    """One of the current connection, in its transaction if there is one, that keeps values out of the text.

    What has come five times on a connection is planned no more. The text may not need to know a value: in
    `GROUP BY`, the same value twice is two values to the server.
    """
    connection.ensure_connection()
    asked = psycopg.Cursor(connection.connection)
    made: CursorWrapper = connection._prepare_cursor(asked)  # type: ignore[attr-defined]
    return made


def prepared(sql: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
    """Run a statement that is planned from its first time; its first row. Raises the errors of django.db."""
    connection.validate_no_broken_transaction()
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(sql, values, prepare=True)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row
