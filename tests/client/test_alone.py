"""`cvdops` needs Python and nothing else."""

import json
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]
# Without -S the packages of this installation would be there.
ALONE = [sys.executable, "-S", "-E"]


def test_it_loads_nothing_but_the_standard_library_and_its_own() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(PROJECT)!r}); before = set(sys.modules);"
        "import cvdops.client.main;"
        "print(*sorted({m for m in sys.modules if m.startswith('cvdops')}));"
        "others = {m.partition('.')[0] for m in set(sys.modules) - before} - {'cvdops'};"
        "print(*sorted(others - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run([*ALONE, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    ours, foreign = done.stdout.split("\n")[:2]
    assert foreign == ""
    assert all(m.startswith(("cvdops.client", "cvdops.lib")) for m in ours.split()[1:]), ours


def test_a_line_that_it_does_not_understand_is_2_and_json_where_that_is_asked_for() -> None:
    for line in (["executions", "--limit", "-5"], ["output", "42"]):
        done = subprocess.run(
            [*ALONE, "-m", "cvdops.client", *line, "--json"],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=120,
        )
        error = json.loads(done.stdout)["error"]
        assert done.returncode == 2 and error["code"] == "usage"
        assert error["detail"] in done.stderr


def test_each_refusal_of_its_own_has_a_code(tmp_path: Path) -> None:
    here = {"HOME": str(tmp_path), "CVDOPS_TOKEN": "cvdops_x"}
    nowhere = {**here, "CVDOPS_URL": "http://127.0.0.1:1"}
    asked = [
        (["executions"], here, "unset"),
        (["executions"], nowhere, "away"),
        (["lint", str(tmp_path / "none.md")], nowhere, "file"),
    ]
    for line, environment, code in asked:
        done = subprocess.run(
            [*ALONE, "-m", "cvdops.client", *line, "--json"],
            cwd=PROJECT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 2 and json.loads(done.stdout)["error"]["code"] == code


def test_its_help_teaches_where_no_django_is() -> None:
    for command in ([], ["run"], ["watch"], ["approve"], ["settle"], ["executions"], ["output"]):
        done = subprocess.run(
            [*ALONE, "-m", "cvdops.client", *command, "--help"],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        assert "examples:\n  cvdops " in done.stdout and "exit codes:" in done.stdout
