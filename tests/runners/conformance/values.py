"""Values stay values, whatever runs the step: hundreds of them in one job."""

from pathlib import Path

import pytest

from cvdops.runners.job import StartFailed
from tests.databases import Place
from tests.hostile_values import HOSTILE, IMPOSSIBLE
from tests.runners.bench import Bench
from tests.runners.conformance.kinds import of_sql

VALUES = {f"V{number}": value for number, value in enumerate(HOSTILE)}
SHELL = "".join(f"C{name}=${name}; printf '%s\\0' \"${{{name}}}\"\n" for name in VALUES)
PYTHON = f"import os\nfor n in range({len(VALUES)}): print(os.environ[f'V{{n}}'], end='\\0')"
BOUND = dict(list(VALUES.items())[::3])  # each of them costs two or three processes
SQL = {  # as digits, because some clients write odd characters in their own way
    "sqlite": "".join(f"SELECT hex(:{name});\n" for name in BOUND),
    "postgresql": "".join(
        f"SELECT encode(convert_to(:'cvdops_{name}', 'UTF8'), 'hex');\n" for name in BOUND
    ),
}


class ValuesStayValues:
    """None of them becomes a part of a command, and each arrives byte for byte."""

    @pytest.fixture
    def safe(self, tmp_path: Path) -> Path:
        """Where a job begins, and where nothing was made by a value."""
        yield tmp_path
        assert not (tmp_path / "canary").exists()

    @pytest.mark.parametrize("shell", ["bash", "sh"])
    def test_in_a_shell(self, bench: Bench, shell: str, safe: Path) -> None:
        done = bench.run(SHELL, interpreter=shell, variables=VALUES, cwd=str(safe))
        assert done.output.decode().split("\0") == [*HOSTILE, ""]
        copies = {f"C{name}": value for name, value in VALUES.items()}
        assert copies.items() <= done.result.variables.items()

    def test_in_python(self, bench: Bench, safe: Path) -> None:
        done = bench.run(PYTHON, interpreter="python", variables=VALUES, cwd=str(safe))
        assert done.output.decode().split("\0") == [*HOSTILE, ""]

    def test_in_sql(self, bench: Bench, place: Place, safe: Path) -> None:
        changes = {"variables": BOUND, "names": tuple(BOUND), "bare": True, "cwd": str(safe)}
        done = bench.run(SQL[place.kind], **of_sql(place, **changes))
        found = [bytes.fromhex(line).decode() for line in done.output.decode().splitlines()]
        assert (done.code, found) == (0, list(BOUND.values()))

    @pytest.mark.parametrize("value", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
    @pytest.mark.parametrize("interpreter", ["bash", "sh", "python", "sqlite", "postgresql"])
    def test_that_no_process_can_have(self, bench: Bench, interpreter: str, value: str) -> None:
        with pytest.raises(StartFailed, match="The value of NAME "):
            bench.start("", interpreter=interpreter, variables={"NAME": value})

    def test_with_names_that_the_wrapper_might_use(self, bench: Bench, place: Place) -> None:
        names = ("name", "client", "stopped", "code", "IFS_", "n")
        quoted = (f":'cvdops_{n}'" if place.kind == "postgresql" else f":{n}" for n in names)
        text = "".join(f"SELECT {word};\n" for word in quoted)
        values = {**{n: f"its {n}" for n in names}, "n": ""}
        changes = {"variables": values, "names": names, "bare": True}
        done = bench.run(text, **of_sql(place, **changes))
        assert done.output.decode().splitlines() == list(values.values())
