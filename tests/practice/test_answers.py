"""What the application answers beside its health."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from runpy import run_path
from typing import Any

from tests.practice.operator import Operator


def test_detailed_health_tells_of_data_disk_and_backups(watcher: Operator) -> None:
    status, answer = watcher.get("/health/detailed")
    assert (status, answer["status"], answer["database"]["integrity"]) == (200, "healthy", "ok")
    assert answer["database"]["rows"]["service_orders"] > 2000
    assert answer["newest_backup_hours"] is not None


def test_a_person_can_log_in(watcher: Operator) -> None:
    login = 'curl -s -o /dev/null -w "%{http_code}" -d "user=user02&password=$WORD" $BASE_URL/login'
    assert watcher.lines(f"WORD=practice; {login}") == ["200"]
    assert watcher.lines(f"WORD=wrong; {login}") == ["401"]


def test_answers_carry_security_headers(watcher: Operator) -> None:
    headers = watcher.lines("curl -sI $BASE_URL/")
    assert "X-Content-Type-Options: nosniff" in headers
    assert "X-Frame-Options: DENY" in headers


def test_what_is_not_there_is_not_found(watcher: Operator) -> None:
    assert watcher.get("/nothing")[0] == 404


def test_nginx_passes_requests_on(watcher: Operator) -> None:
    found = watcher.lines("journalctl -u nginx | grep -o 'listening on [0-9.:]*'")
    address = found[0].removeprefix("listening on ")
    assert '"version": "v1.0.0"' in watcher.lines(f"curl -s http://{address}/health")[0]


def test_requests_are_noted_in_the_access_log(watcher: Operator) -> None:
    watcher.get("/api/planograms?noted=1")
    assert watcher.lines('grep -c "GET /api/planograms?noted=1.* 200 " "$LOG_DIR/access.log"') == [
        "1"
    ]


def test_an_index_makes_the_service_orders_fast(operator: Operator) -> None:
    path = "/api/service-orders?status=closed"
    before = operator.get(path)
    variables = operator.site.variables()
    service_orders = run_path(f"{variables['APPLICATION_DIR']}/api.py")["service_orders"]
    with closing(sqlite3.connect(variables["DATABASE_PATH"])) as database:
        slow = effort(database, service_orders)
        database.execute("CREATE INDEX visits ON service_orders (device_id, created_at)")
        assert effort(database, service_orders) < slow / 20
    assert operator.get(path) == before


def effort(
    database: sqlite3.Connection, service_orders: Callable[[sqlite3.Connection, object, None], Any]
) -> int:
    """What the database does for one answer, in thousands of its instructions: a clock would also
    tell what else the machine does."""
    thousands: list[None] = []
    database.row_factory = sqlite3.Row
    database.set_progress_handler(lambda: thousands.append(None), 1000)
    assert service_orders(database, {"status": "closed"}, None)[0] == 200
    return len(thousands)


def test_without_its_database_it_does_not_start(operator: Operator) -> None:
    done = operator.run('systemctl stop cvd; rm "$DATABASE_PATH"; systemctl start cvd')
    assert done.returncode == 1
    assert "does not exist" in done.stderr
