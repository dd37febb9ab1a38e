"""`manage.py parse` and `manage.py lint`, which need no database."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.spec.documents import ANNOTATED


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "BACKUP_RESTORE.md"
    path.write_text(ANNOTATED)
    return path


def run(*arguments: str | Path) -> tuple[str, int]:
    out = StringIO()
    try:
        call_command(*map(str, arguments), stdout=out)
    except SystemExit as stop:
        return out.getvalue(), int(stop.code or 0)
    return out.getvalue(), 0


def test_parse_prints_the_promised_json(file: Path) -> None:
    value = json.loads(run("parse", file)[0])
    assert list(value) == [
        *("title", "metadata", "sections", "procedures", "steps", "variables"),
        *("troubleshooting", "diagnostics"),
    ]
    step = next(s for s in value["steps"] if s["id"] == "backup")
    assert set(step) == {
        *(
            "id",
            "title",
            "kind",
            "section",
            "line",
            "language",
            "body",
            "attributes",
            "samples",
            "checklist",
        ),
    }
    assert step["attributes"]["rollback"] == "remove-backup"
    assert value["procedures"][0] == {
        "key": "backup-database",
        "title": "Back up the database",
        "steps": ["backup"],
    }


def test_parse_accepts_any_readable_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xff\x00\n```")
    assert run("parse", tmp_path / "x")[1] == 0


@pytest.mark.parametrize("command", ["parse", "lint"])
def test_a_file_that_cannot_be_read_is_exit_2(command: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"nothing\.md cannot be read") as error:
        run(command, tmp_path / "nothing.md")
    assert error.value.returncode == 2


def test_lint_prints_like_a_compiler_and_exits_1_on_errors(file: Path) -> None:
    file.write_text(ANNOTATED.replace("timeout=60s", "timeout=soon"))
    text, code = run("lint", file.parent)
    line = ANNOTATED[: ANNOTATED.index("```bash {#backup")].count("\n") + 1
    assert f"{file}:{line}: error: timeout=“soon” is wrong. [RB203]" in text
    assert code == 1


def test_lint_as_json(file: Path) -> None:
    file.write_text(ANNOTATED.replace("impact: No downtime.\n", ""))
    text, code = run("lint", file, "--format", "json")
    found = json.loads(text)
    assert ("RB506", str(file)) in [(d["code"], d["path"]) for d in found]
    assert all(d["severity"] != "error" for d in found)
    assert code == 0
