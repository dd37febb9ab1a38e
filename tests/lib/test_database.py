"""Connections of the portal's processes: how long they wait, and what becomes of what they waited for."""

import psycopg
import pytest
from django.db import connection

from cvdops.lib.database import Connection


@pytest.mark.django_db
def test_the_server_ends_what_nobody_will_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "patience", 1.0)
    where = connection.get_connection_params()
    where = {name: where[name] for name in ("host", "port", "user", "dbname") if name in where}
    with Connection.connect(**where, options="-c work_mem=5MB", autocommit=True) as asked:
        with pytest.raises(psycopg.errors.QueryCanceled):
            asked.execute("SELECT pg_sleep(60)")
        assert asked.execute("SHOW work_mem").fetchone() == ("5MB",)
