"""What the application answers beside its health."""

import sqlite3
import time
from contextlib import closing

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
    slow = seconds(operator)
    with closing(sqlite3.connect(operator.site.variables()["DATABASE_PATH"])) as database:
        database.execute("CREATE INDEX visits ON service_orders (device_id, created_at)")
    assert seconds(operator) < slow / 3


def seconds(operator: Operator) -> float:
    """The quickest of three: the machine may be doing something else too."""
    taken = []
    for _ in range(3):
        began = time.perf_counter()
        assert operator.get("/api/service-orders?status=closed")[0] == 200
        taken.append(time.perf_counter() - began)
    return min(taken)


def test_without_its_database_it_does_not_start(operator: Operator) -> None:
    done = operator.run('systemctl stop cvd; rm "$DATABASE_PATH"; systemctl start cvd')
    assert done.returncode == 1
    assert "does not exist" in done.stderr
