"""Values stay values, whatever runs the step: many of them in one job."""

from pathlib import Path

import pytest

from cvdops.runners.job import StartFailed
from tests.hostile_values import HOSTILE, IMPOSSIBLE
from tests.runners.bench import Bench

VALUES = {f"V{number}": value for number, value in enumerate(HOSTILE)}
PRINTING = {
    "bash": "".join(f"C{name}=${name}; printf '%s\\0' \"${{{name}}}\"\n" for name in VALUES),
}
PRINTING["sh"] = PRINTING["bash"]


class ValuesStayValues:
    """None of them becomes a part of a command, and each arrives byte for byte."""

    @pytest.mark.parametrize("interpreter", PRINTING)
    def test_hostile_values(self, bench: Bench, interpreter: str, tmp_path: Path) -> None:
        done = bench.run(
            PRINTING[interpreter], interpreter=interpreter, variables=VALUES, cwd=str(tmp_path)
        )
        assert done.output.decode().split("\0") == [*HOSTILE, ""]
        assert not (tmp_path / "canary").exists()
        copies = {f"C{name}": value for name, value in VALUES.items()}
        assert copies.items() <= done.result.variables.items()

    @pytest.mark.parametrize("value", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
    @pytest.mark.parametrize("interpreter", PRINTING)
    def test_values_that_no_process_can_have(
        self, bench: Bench, interpreter: str, value: str
    ) -> None:
        with pytest.raises(StartFailed, match="The value of NAME "):
            bench.start("true", interpreter=interpreter, variables={"NAME": value})
