"""`manage.py parse` and `manage.py lint`, which need no database."""

import json
import subprocess
import sys
import tomllib
from datetime import date
from importlib import import_module
from io import StringIO
from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from cvdops.spec import template
from cvdops.spec.codes import diagnostic
from cvdops.spec.lint import lint
from cvdops.spec.parser import parse
from cvdops.spec.reports import as_github
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


@pytest.fixture
def wrong(file: Path) -> Path:
    """A file with one error, in the line of the block `backup`."""
    file.write_text(ANNOTATED.replace("timeout=60s", "timeout=soon"))
    return file


LINE = ANNOTATED[: ANNOTATED.index("```bash {#backup")].count("\n") + 1


def test_lint_as_annotations_of_github(wrong: Path) -> None:
    text, code = run("lint", wrong, "--format", "github")
    assert text.startswith(
        f"::error file={wrong},line={LINE},title=RB203::timeout=“soon” is wrong."
    )
    assert code == 1


def test_an_annotation_escapes_what_would_end_it() -> None:
    found = diagnostic("RB301", 3, "100 %\nsure", "")
    text = as_github([("a,b:c.md", [found])])
    assert text == "::warning file=a%2Cb%3Ac.md,line=3,title=RB301::100 %25%0Asure"


def test_lint_of_several_files_finds_what_stands_between_them(file: Path) -> None:
    call = "\n```runbook {#call}\nrunbook: nobody\nprocedure: x\n```\n\n## Verification"
    file.write_text(ANNOTATED.replace("\n## Verification", call))
    other = file.with_name("other.md")
    other.write_text(ANNOTATED)
    found = [
        (Path(d["path"]).name, d["code"])
        for d in json.loads(run("lint", file.parent, "--format", "json")[0])
    ]
    assert (file.name, "RB215") in found
    assert {("other.md", "RB220"), (file.name, "RB220")} & set(found)
    assert "RB215" not in run("lint", file)[0]


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_one_unreadable_file_leaves_the_others_their_findings(
    file: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(ANNOTATED.replace("timeout=60s", "timeout=soon"))
    file.with_name("gone.md").symlink_to("/nowhere")
    with pytest.raises(CommandError, match=r"gone\.md cannot be read") as error:
        call_command("lint", str(file.parent), format=form)
    assert error.value.returncode == 2
    assert "RB203" in capsys.readouterr().out


def test_a_folder_without_documents_is_said(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# About")
    with pytest.raises(CommandError, match="holds no runbook") as error:
        run("lint", tmp_path)
    assert error.value.returncode == 2


def test_lint_as_sarif(wrong: Path) -> None:
    log = json.loads(run("lint", wrong, "--format", "sarif")[0])
    assert (log["version"], len(log["runs"])) == ("2.1.0", 1)
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    result = next(r for r in log["runs"][0]["results"] if r["ruleId"] == "RB203")
    assert rules[result["ruleIndex"]]["id"] == "RB203"
    assert rules[result["ruleIndex"]]["help"]["markdown"].startswith("# RB203: An attribute has a")
    assert result["level"] == rules[result["ruleIndex"]]["defaultConfiguration"]["level"] == "error"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == wrong.as_uri()
    assert place["region"] == {"startLine": LINE}


def test_a_file_named_twice_is_checked_once(wrong: Path) -> None:
    assert run("lint", wrong, wrong.parent)[0].count("RB203") == 1


def test_lint_finds_circles_among_the_files(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        text = f"# T\n\n## Procedures\n```runbook\nrunbook: {other}\n```\n"
        (tmp_path / f"{name}.md").write_text(text)
    text, code = run("lint", tmp_path)
    assert [text.count("RB214"), code] == [2, 1]


def test_lint_init_writes_a_runbook_that_passes(tmp_path: Path) -> None:
    path = tmp_path / "RESTART_IT.md"
    assert run("lint", "--init", path)[1] == 0
    assert run("lint", path)[0] == "1 file: 0 errors, 0 warnings, 0 notes\n"
    runbook = parse(path.read_bytes(), path.name)
    assert (runbook.id, runbook.title) == ("restart-it", "Restart it")


def test_lint_init_overwrites_nothing(file: Path) -> None:
    with pytest.raises(CommandError, match="exists already") as error:
        run("lint", "--init", file)
    assert error.value.returncode == 2
    assert file.read_text() == ANNOTATED


def test_the_template_in_the_documentation_passes() -> None:
    source = template.PATH.read_text()
    assert lint(parse(source, "new-runbook.md"), source, date(2026, 11, 23)) == ()


@settings(max_examples=30)
@given(st.one_of(st.text(max_size=90), st.sampled_from(["RESTART", "TRUE", "null", "PROCEDURES"])))
def test_a_new_one_passes_whatever_its_name(stem: str) -> None:
    name, today = f"{stem}.md", date(2026, 11, 23)
    source = template.new(name, today)
    assert lint(parse(source, name), source, today) == ()


def test_lint_wants_something_to_do() -> None:
    with pytest.raises(CommandError, match="--init") as error:
        run("lint")
    assert error.value.returncode == 2


def test_the_commands_need_neither_settings_nor_a_database(file: Path) -> None:
    code = "import sys; from cvdops.catalog.management.commands.lint import main; sys.exit(main())"
    environment = {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code, str(file)], env=environment, timeout=180)
    assert done.returncode == 0


def test_the_hook_of_pre_commit_calls_a_script_that_there_is() -> None:
    root = Path(__file__).parents[2]
    (hook,) = yaml.safe_load((root / ".pre-commit-hooks.yaml").read_text())
    scripts = tomllib.loads((root / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, function = scripts[hook["entry"]].partition(":")
    assert callable(getattr(import_module(module), function))
