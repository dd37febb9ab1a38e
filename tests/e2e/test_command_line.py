"""What docs/cli.md and the helps of all commands show, and the script that deploys by the API, done."""

import json
import re
import subprocess
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from cvdops.client.main import _parser
from cvdops.stack.portal import PROJECT
from tests.e2e.shell import environment, loaded, programs, typed
from tests.stack.launching import Launched

pytestmark = pytest.mark.e2e
COMMAND = re.compile(r"^\$ (.+?)(?:  # ends with (\d+))?$", re.MULTILINE)
EXAMPLE = re.compile(r"^  ((?:manage\.py|cvdops) .+)$", re.MULTILINE)
RELEASE = "--procedure deploy --env development --var TARGET_VERSION=v1.0.1"
GATE = f"manage.py run deployment {RELEASE} --reason"
# With what the examples of the helps end that do not end with 0.
ENDS = {
    GATE: 3,  # at the approval, as it says
    "manage.py restored": 2,  # a worker lives
    "cvdops approve ID --comment": 2,  # nobody sits at a terminal, and no digest is named
    "cvdops reject ID": 2,  # the same; then it has been approved
    # What is over is not controlled any more.
    **dict.fromkeys([f"cvdops {verb} 42" for verb in ("pause", "resume", "cancel", "rollback")], 2),
    **dict.fromkeys([f"cvdops {verb} 42" for verb in ("confirm", "retry", "skip", "settle")], 2),
}
MANAGER = ("cvdops approve", "cvdops reject", "cvdops audit")  # what is for a manager


@pytest.fixture(scope="module")
def manage(folder: Path, deployed: object) -> Iterator[Path]:
    with loaded(environment(folder / "data", folder)) as door:
        yield door


@pytest.fixture
def given(system: Launched, manage: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of a shell in the folder of the test."""
    programs(tmp_path, manage)
    address = f"http://localhost:{system.port}"
    return {**environment(system.data, tmp_path), "CVDOPS_URL": address}


def test_every_command_of_the_page_does_what_it_says(
    system: Launched, tmp_path: Path, given: dict[str, str]
) -> None:
    text = (PROJECT / "docs" / "cli.md").read_text().replace(":8000", f":{system.port}")
    wanted = [(line, int(code or 0)) for line, code in COMMAND.findall(text)]
    done = typed([line for line, _ in wanted], tmp_path, given)
    told = dict(zip((line for line, _ in wanted), done.ended, strict=True))
    assert told == dict(wanted), done.err
    assert "Written: cvd_manual" in done.out


def examples(parser: ArgumentParser) -> Iterator[str]:
    """Those in the help of this command, and of the commands that it is made of."""
    yield from EXAMPLE.findall(parser.epilog or "")
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            for one in action.choices.values():
                yield from examples(one)


def ends(line: str) -> int:
    return next((code for start, code in ENDS.items() if line.startswith(start)), 0)


def test_every_example_in_the_help_of_manage_py(tmp_path: Path, given: dict[str, str]) -> None:
    ours = sorted((name, app) for name, app in get_commands().items() if "cvdops" in str(app))
    parsers = [load_command_class(app, name).create_parser("manage.py", name) for name, app in ours]
    lines = [line for parser in parsers for line in examples(parser)]
    role = tmp_path / "portal_database_url"
    role.write_text("postgresql://an-example:only-for-this-test@localhost/cvdops")
    here = [line.replace("/run/secrets/portal_database_url", str(role)) for line in lines]
    after = [
        "CVDOPS_TOKEN=$(manage.py token devops-engineer --name after) cvdops cancel $(cat gate)"
    ]
    newest = "from cvdops.executions.models import Execution as E; print(E.objects.first().number)"
    gate = f"manage.py shell -v 0 -c '{newest}' > gate"
    at = next(number for number, line in enumerate(here) if line.startswith(GATE)) + 1
    done = typed([*here[:at], gate, *here[at:], *after], tmp_path, given)
    assert done.ended.pop() == done.ended.pop(at) == 0, done.err
    told = dict(zip(lines, done.ended, strict=True))
    # What is wrong with an installation may be the disk or the clock of its machine.
    doctor = [told.pop(line) for line in lines if line.startswith("manage.py doctor")]
    assert len(doctor) == 3 and set(doctor) <= {0, 1}
    assert told == {line: ends(line) for line in told}, done.err


def test_every_example_in_the_help_of_cvdops(tmp_path: Path, given: dict[str, str]) -> None:
    token = "manage.py token {0} --name examples --scope read --scope {1} > {0}"
    newest = "CVDOPS_TOKEN=$(cat devops-engineer) cvdops executions --limit 1 --json"
    backup = "run backup-restore --procedure backup-database --env development"
    before = typed(
        [
            token.format("devops-engineer", "run"),
            token.format("operations-manager", "approve"),
            "manage.py lint --init RESTART_THE_SERVICE.md",
            f"manage.py {backup} --as devops-engineer",
            f"{newest} > backup",
            f"{GATE} paging --as devops-engineer",
            f"{newest} > gate",
        ],
        tmp_path,
        given,
    )
    assert before.ended == [0, 0, 0, 0, 0, 3, 0], before.err
    gate, taken = (
        json.loads((tmp_path / name).read_text())["items"][0] for name in ("gate", "backup")
    )

    def real(line: str) -> str:
        who = "operations-manager" if line.startswith(MANAGER) else "devops-engineer"
        for word, value in (
            ("41", gate["number"]),
            ("42", taken["number"]),
            ("ID", gate["id"]),
            ("DIGEST", gate["plan_digest"]),
        ):
            line = re.sub(rf"(?<= ){word}\b", str(value), line)
        return f"CVDOPS_TOKEN=$(cat {who}) {line}"

    lines = list(dict.fromkeys(examples(_parser())))
    # What it started ends before another test begins.
    end = f"CVDOPS_TOKEN=$(cat devops-engineer) cvdops watch {gate['number']} --wait 5m"
    done = typed([*map(real, lines), end], tmp_path, given)
    assert done.ended.pop() == 0, done.err
    assert dict(zip(lines, done.ended, strict=True)) == {n: ends(n) for n in lines}, done.err
    assert "usage:" not in done.err


def test_the_script_goes_from_a_bare_machine_to_a_deployed_release(
    deployed: "subprocess.CompletedProcess[str]",
) -> None:
    assert deployed.returncode == 0, deployed.stdout
    assert "Approved: " in deployed.stdout and " runs v1.0.1." in deployed.stdout
