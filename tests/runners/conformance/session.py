"""What goes from one step to the next."""

from pathlib import Path

import pytest

from tests.runners.bench import Bench

SHELLS = pytest.mark.parametrize("shell", ["bash", "sh"])


class SessionCarried:
    """Variables and the working directory go from one step to the next."""

    @SHELLS
    def test_variables_and_directory(self, bench: Bench, shell: str, tmp_path: Path) -> None:
        first = bench.run(f"A=1; export B='two words'; cd '{tmp_path}'", interpreter=shell).result
        assert (first.variables["A"], first.variables["B"]) == ("1", "two words")
        second = bench.run(
            'echo "$A $B"; pwd', interpreter=shell, variables=first.variables, cwd=first.cwd
        )
        assert second.output.decode() == f"1 two words\n{tmp_path}\n"

    @SHELLS
    def test_of_a_failed_step(self, bench: Bench, shell: str) -> None:
        assert bench.run("A=1; exit 7", interpreter=shell).result.variables["A"] == "1"

    @SHELLS
    def test_a_large_value(self, bench: Bench, shell: str) -> None:
        value = "é\n" * 33_000
        done = bench.run(
            'COPY=$VALUE; printf %s "$VALUE"', interpreter=shell, variables={"VALUE": value}
        )
        assert done.output.decode() == done.result.variables["COPY"] == value

    def test_says_what_is_too_large_or_no_text(self, bench: Bench) -> None:
        done = bench.run("A=$(head -c 200000 /dev/zero | tr '\\0' x); B=$'\\xff'; C=1")
        assert done.result.dropped == ("A", "B")
        assert done.result.variables["C"] == "1"

    def test_no_more_than_a_megabyte(self, bench: Bench) -> None:
        script = (
            "v=$(head -c 100000 /dev/zero | tr '\\0' x)\nfor i in {1..20}; do declare V$i=$v; done"
        )
        done = bench.run(script).result
        assert sum(map(len, done.variables.values())) < 1 << 20
        assert len(done.dropped) == 11

    def test_scalars_only(self, bench: Bench) -> None:
        script = """
            a=(1 '2 "' $'3\\n)'); declare -A m=([k\\)]=v ['x y']="z'"); declare -n r=s; s=1
            f() { :; }; declare unset
        """
        assert set(bench.run(script).result.variables) == {"s"}

    def test_nothing_of_the_shell_itself(self, bench: Bench) -> None:
        assert bench.run("true").result.variables == {}

    def test_names_that_the_wrapper_might_use(self, bench: Bench) -> None:
        names = ["rc", "stat", "dir", "cwd", "boot", "script", "_x"]
        script = "\n".join(f'echo "${name}"' for name in names)
        done = bench.run(script, variables={name: name for name in names})
        assert done.output.decode().split() == names

    def test_a_directory_that_is_gone(self, bench: Bench) -> None:
        done = bench.run("touch canary", cwd="/nonexistent/folder")
        assert done.code == 1
        assert b"working directory /nonexistent/folder is gone" in done.output

    def test_the_directory_outlives_a_script_that_leaves_no_session(self, bench: Bench) -> None:
        assert bench.run("exec true", cwd="/usr").result.cwd == "/usr"

    def test_a_directory_with_a_difficult_name(self, bench: Bench, tmp_path: Path) -> None:
        folder = tmp_path / " -n 'é\n$(x)"
        folder.mkdir()
        assert bench.run('cd -- "$D"', variables={"D": str(folder)}).result.cwd == str(folder)
        assert bench.run("pwd", cwd=str(folder)).output.decode() == f"{folder}\n"
