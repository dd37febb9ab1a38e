"""The stand-in for `sqlite3`, driven as an `sql` step drives the real one."""

import uuid
from pathlib import Path

import pytest

from cvdops.practice.stand_ins.install import stand_in
from cvdops.runners.account import PATH
from cvdops.runners.job import Job
from cvdops.runners.local import LocalTransport
from tests import databases
from tests.hostile_values import HOSTILE
from tests.runners.bench import follow


@pytest.fixture
def programs(tmp_path: Path) -> str:
    """A search path on which the stand-in comes first."""
    program = tmp_path / "bin" / "sqlite3"
    program.parent.mkdir()
    program.write_text(stand_in(tmp_path, "sqlite_shell"))
    program.chmod(0o755)
    return f"{program.parent}:{PATH}"


def run(folder: Path, programs: str, script: str, *values: str, bare: bool) -> tuple[int, str]:
    transport = LocalTransport(folder / "spool")
    transport.spool()
    named = {f"V{number}": value for number, value in enumerate(values)}
    job = Job(
        attempt=str(uuid.uuid4()),
        interpreter="sqlite",
        strict=True,
        script=script,
        variables={"PATH": programs, **named},
        database=databases.sqlite(folder).location,
        names=tuple(named),
        bare=bare,
    )
    result, output = follow(transport.start(job))
    return result.exit_code, output.decode()


def test_rows_are_a_table(tmp_path: Path, programs: str) -> None:
    code, output = run(tmp_path, programs, "SELECT * FROM orders WHERE id < 3;", bare=False)
    assert code == 0
    assert output.splitlines() == [
        "+----+--------+",
        "| id | status |",
        "+----+--------+",
        "| 1  | new    |",
        "| 2  | done   |",
        "+----+--------+",
    ]


def test_values_are_bound(tmp_path: Path, programs: str) -> None:
    values = [value for value in HOSTILE if len(value) < 100]
    script = "".join(f"SELECT hex(:V{number});\n" for number in range(len(values)))
    code, output = run(tmp_path, programs, script, *values, bare=True)
    assert (code, [bytes.fromhex(line).decode() for line in output.splitlines()]) == (0, values)


def test_the_first_error_ends_it(tmp_path: Path, programs: str) -> None:
    code, output = run(tmp_path, programs, "SELECT :NONE;\nSELECT 'after';", bare=False)
    assert (code, "after" in output) == (1, False)
