"""The application's releases: what each answers, and going from one to another."""

import subprocess

from tests.practice.operator import Operator


def test_it_starts_at_the_first_release(watcher: Operator) -> None:
    assert watcher.get("/health") == (200, {"status": "healthy", "version": "v1.0.0"})


def test_the_origin_has_three_releases(watcher: Operator) -> None:
    assert watcher.lines("git tag --list") == ["v1.0.0", "v1.0.1", "v1.0.2"]
    assert watcher.lines("git status --short") == []


def test_the_first_release_has_one_before_it_to_roll_back_to(operator: Operator) -> None:
    operator.lines("sudo systemctl stop cvd nginx")
    operator.lines("sudo -u cvdapp git checkout HEAD~1 && sudo systemctl start cvd nginx")
    assert operator.get("/health") == (200, {"status": "healthy", "version": "v0.9.0"})


def test_commits_are_the_same_everywhere(watcher: Operator) -> None:
    found = watcher.lines("git rev-parse v1.0.0^{commit} v1.0.2^{commit}")
    assert found == [
        "ecac36a06150ca9d3316baf6621baac897112a62",
        "3c3c2efa45a637be1ff62140009dbdc22f5128c2",
    ]


def test_the_second_release_improves_it(operator: Operator) -> None:
    operator.deploy("v1.0.1")
    assert operator.get("/health") == (200, {"status": "healthy", "version": "v1.0.1"})
    status, page = operator.get("/api/service-orders?status=open&limit=3")
    assert (status, len(page["service_orders"])) == (200, 3)
    assert operator.get("/api/service-orders?limit=many")[0] == 422
    assert operator.get("/api/events") == (200, {"events": []})


def test_the_third_release_starts_but_is_not_healthy(operator: Operator) -> None:
    operator.deploy("v1.0.2")
    status, answer = operator.get("/health")
    assert (status, answer["version"]) == (500, "v1.0.2")
    assert operator.lines("systemctl is-active cvd") == ["active"]
    assert "service_order_archives" in operator.lines('tail -n 1 "$LOG_DIR/error.log"')[0]


def test_rolling_back_a_release_leaves_the_data_whole(operator: Operator) -> None:
    before = operator.get("/health/database")[1]["rows"]
    operator.deploy("v1.0.2")
    operator.lines("sudo -u cvdapp git checkout v1.0.1 && sudo systemctl restart cvd")
    assert operator.get("/health") == (200, {"status": "healthy", "version": "v1.0.1"})
    assert operator.get("/health/database")[1]["rows"] == before


def test_a_migration_is_applied_once(operator: Operator) -> None:
    operator.lines("git checkout v1.0.1")
    migrate = 'python3 migrate.py "$DATABASE_PATH"'
    assert operator.lines(migrate) == [
        "Applying 002_device_events.sql",
        "The schema is at version 2",
    ]
    assert operator.lines(migrate) == ["The schema is at version 2"]


def test_git_serves_a_user_who_does_not_own_the_files(watcher: Operator) -> None:
    watched = {**watcher.site.variables(), "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
    argv = ["bash", "-c", 'git -C "$APPLICATION_DIR" fetch --tags && git describe --tags']
    folder = watched["APPLICATION_DIR"]
    done = subprocess.run(argv, env=watched, cwd=folder, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "v1.0.0\n"), done.stderr
