"""The commands of `manage.py` that scripts depend on: their flags, and with what they end."""

import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command, get_commands, load_command_class

from cvdops.spec import template

LINES = (
    "lint a.md b.md",
    *(f"lint runbooks --format {name}" for name in ("text", "json", "sarif", "github")),
    "parse runbooks/DEPLOYMENT_RUNBOOK.md",
    "sync",
    "run deployment --procedure deploy --env development --var A=1 --var B=2 --reason why --as ada",
    "run deployment --env development --as ada --follow",
    "run deployment --env development --as ada --dry-run",
    "token ada --name laptop",
    "token ada --name laptop --expires 30d",
    "doctor",
    "verify_audit",
    "demo",
)
PARSED = "title metadata sections procedures steps variables troubleshooting diagnostics"
STEP = "id title kind section line language body attributes samples checklist"


@pytest.mark.parametrize("line", LINES)
def test_the_flags_of_the_contract_are_understood(line: str) -> None:
    name, *arguments = line.split()
    command = load_command_class(get_commands()[name], name)
    options = vars(command.create_parser("manage.py", name).parse_args(arguments))
    assert set(options) >= {"json"}


def code(*arguments: str) -> int:
    try:
        call_command(*arguments, stdout=StringIO(), stderr=StringIO())
    except SystemExit as end:
        return int(str(end.code))
    except CommandError as error:
        return error.returncode
    return 0


@pytest.mark.parametrize("kind", ["text", "json", "sarif", "github"])
def test_lint_ends_with_0_1_or_2(kind: str, tmp_path: Path) -> None:
    clean, broken = tmp_path / "RESTART_THE_SERVICE.md", tmp_path / "BROKEN.md"
    clean.write_text(template.new("RESTART_THE_SERVICE.md", datetime.now(UTC).date()))
    broken.write_text("---\nformat: 99\n---\nno title\n")
    form = ("--format", kind)
    assert code("lint", str(clean), *form) == 0
    assert code("lint", str(clean), str(broken), *form) == 1
    assert code("lint", str(clean), str(tmp_path / "none.md"), *form) == 2


def test_parse_ends_with_0_for_any_readable_file(tmp_path: Path) -> None:
    for text in (b"", b"# T\n\n## Procedures\n### P\n```bash\ntrue\n```\n", b"\xff\x00---\n"):
        (tmp_path / "a.md").write_bytes(text)
        out = StringIO()
        call_command("parse", str(tmp_path / "a.md"), stdout=out)
        found = json.loads(out.getvalue())
        assert set(found) >= set(PARSED.split())
        assert all(set(step) >= set(STEP.split()) for step in found["steps"])
    assert code("parse", str(tmp_path / "none.md")) == 2
