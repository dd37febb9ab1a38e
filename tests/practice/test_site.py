"""The site: its variables, its files, putting it back, and what stands in its way."""

import json
import stat
from pathlib import Path

import pytest

from cvdops.practice.site import FACTS, Site, SiteError
from tests.ports import free_port
from tests.practice.operator import Operator


def test_the_variables_are_written_for_the_environment(watcher: Operator) -> None:
    site = watcher.site
    written = json.loads((site.root / FACTS).read_text())
    assert written == site.variables()
    assert written["DATABASE_PATH"] == f"{site.root}/opt/cvd/data/cvd.db"
    assert written["BASE_URL"] == f"http://127.0.0.1:{site.port}"
    assert written["PATH"].startswith(f"{site.root}/bin:")


@pytest.mark.parametrize(
    ("name", "mode"), [("config/.env", 0o600), ("data/cvd.db", 0o640), ("logs/error.log", 0o640)]
)
def test_files_are_closed_to_others(watcher: Operator, name: str, mode: int) -> None:
    assert stat.S_IMODE((watcher.site.root / "opt/cvd" / name).stat().st_mode) == mode


def test_creating_again_keeps_what_is_there(operator: Operator) -> None:
    operator.deploy("v1.0.1")
    operator.lines('sqlite3 "$DATABASE_PATH" "DELETE FROM devices WHERE id > 10"')
    operator.lines('echo CVD_NOTE=mine >> "$CONFIG_DIR/.env"')
    operator.site.create()
    operator.site.start()
    assert operator.get("/health")[1]["version"] == "v1.0.1"
    assert operator.get("/health/database")[1]["rows"]["devices"] == 10
    assert operator.lines('grep -c CVD_NOTE=mine "$CONFIG_DIR/.env"') == ["1"]


def test_reset_puts_it_back(operator: Operator) -> None:
    operator.deploy("v1.0.2")
    operator.lines('rm "$DATABASE_PATH" app.py && touch "$BACKUP_DIR/mine.db"')
    operator.site.reset()
    assert operator.get("/health") == (200, {"status": "healthy", "version": "v1.0.0"})
    assert operator.get("/health/database")[1]["schema"] == 1
    assert operator.lines('ls "$BACKUP_DIR" | grep -c mine || true') == ["0"]


def test_reset_makes_a_site_where_there_is_none(site: Site) -> None:
    site.reset()
    assert Operator(site).get("/health")[0] == 200


def test_a_lost_database_comes_back_with_the_next_creation(operator: Operator) -> None:
    operator.lines('sudo systemctl stop cvd && rm "$DATABASE_PATH"')
    operator.site.create()
    operator.site.start()
    assert operator.get("/health/database")[0] == 200


def test_another_port_moves_the_service(operator: Operator) -> None:
    moved = Site(operator.site.root, free_port())
    moved.create()
    moved.start()
    assert Operator(moved).get("/health")[0] == 200
    with pytest.raises(ConnectionRefusedError):
        operator.get("/health")


def test_a_moved_folder_still_works(operator: Operator, tmp_path: Path) -> None:
    operator.site.stop()
    operator.site.root.rename(tmp_path / "elsewhere")
    moved = Site(tmp_path / "elsewhere", operator.site.port)
    try:
        moved.create()
        moved.start()
        Operator(moved).deploy("v1.0.1")
        assert Operator(moved).get("/health")[1]["version"] == "v1.0.1"
    finally:
        moved.stop()


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "mine").touch()
    for act in (Site(tmp_path).create, Site(tmp_path).reset):
        with pytest.raises(SiteError, match="holds something else than a practice CVD"):
            act()
    assert (tmp_path / "bin" / "mine").exists()


def test_what_others_put_beside_it_survives_a_reset(operator: Operator) -> None:
    (operator.site.root / "notes.txt").write_text("mine")
    operator.site.reset()
    assert (operator.site.root / "notes.txt").read_text() == "mine"


def test_data_is_the_same_every_time(watcher: Operator, site: Site) -> None:
    site.create()
    sql = 'sqlite3 "$DATABASE_PATH" "SELECT id, device_id, kind, status FROM service_orders"'
    assert watcher.lines(sql) == Operator(site).lines(sql)
