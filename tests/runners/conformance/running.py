"""How a job runs: its output, its end, what it finds around it."""

import hashlib
import os
import signal
import time
import uuid
from pathlib import Path

import pytest

from cvdops.runners.job import (
    Presence,
    Wakeup,
)
from cvdops.runners.verdict import LINGER
from tests.runners.bench import Bench, children, follow, name, running

SHELLS = pytest.mark.parametrize("shell", ["bash", "sh"])


class Running:
    """Starting, output, the end."""

    @SHELLS
    @pytest.mark.parametrize("code", [0, 3, 255])
    def test_exit_code(self, bench: Bench, shell: str, code: int) -> None:
        assert bench.run(f"exit {code}", interpreter=shell).code == code

    @SHELLS
    @pytest.mark.parametrize("name", ["KILL", "TERM", "SEGV"])
    def test_code_of_a_script_that_kills_itself(self, bench: Bench, shell: str, name: str) -> None:
        done = bench.run(f"kill -{name} $$", interpreter=shell)
        assert done.code == 128 + signal.Signals[f"SIG{name}"]

    def test_a_signal_to_the_whole_group_is_recorded(self, bench: Bench) -> None:
        assert bench.run("kill -TERM 0").code == 128 + signal.SIGTERM

    @SHELLS
    def test_code_of_what_the_script_became(self, bench: Bench, shell: str) -> None:
        assert bench.run("exec sh -c 'exit 4'", interpreter=shell).code == 4

    def test_a_trap_of_the_script_works(self, bench: Bench) -> None:
        done = bench.run("trap 'echo bye' EXIT\necho hello\nexit 5")
        assert (done.code, done.output) == (5, b"hello\nbye\n")
        assert not done.result.carried

    @SHELLS
    @pytest.mark.parametrize("end", ["exit 5", "f() { return 5; }; f", "(exit 5)"])
    def test_a_trace_of_the_script_shows_nothing_of_ours(
        self, bench: Bench, shell: str, end: str
    ) -> None:
        done = bench.run(f"A=1\nset -x\n{end}", interpreter=shell)
        assert done.code == 5
        assert done.result.variables["A"] == "1"
        assert b"cvdops" not in done.output and b"set" not in done.output
        assert all(line.startswith(b"+ ") for line in done.output.splitlines())

    def test_a_debug_trap_of_the_script_hears_nothing_of_ours(self, bench: Bench) -> None:
        done = bench.run("trap 'echo \"$BASH_COMMAND\"' DEBUG\nset -T\nA=1\ntrue")
        assert done.output == b"set -T\nA=1\ntrue\n"
        assert done.result.variables["A"] == "1"

    def test_what_could_not_be_stored_of_the_output_is_known(self, bench: Bench) -> None:
        script = "trap '' PIPE\necho one; sleep 0.1; kill -KILL $(pgrep -P $PPID -x cat); echo two; exit 0"
        handle = bench.start(script, strict=False)
        result, output = follow(handle)
        assert (result.exit_code, output) == (0, b"one\n")
        assert handle.short
        assert not self.short(bench, "echo all")

    @staticmethod
    def short(bench: Bench, script: str) -> bool:
        handle = bench.start(script)
        follow(handle)
        return handle.short

    @SHELLS
    def test_output_opened_by_name_loses_nothing(self, bench: Bench, shell: str) -> None:
        script = "echo one; echo two >/dev/stderr; echo three | tee /dev/stderr; echo four"
        assert bench.run(script, interpreter=shell).output == b"one\ntwo\nthree\nthree\nfour\n"

    def test_output_arrives_while_the_job_runs(self, bench: Bench, tmp_path: Path) -> None:
        gate = tmp_path / "gate"
        handle = bench.start(f"echo one; until [ -e {gate} ]; do sleep 0.01; done; echo two >&2")
        assert handle.wait(0, 60, None) is Wakeup.OUTPUT
        assert handle.read(0, 100) == b"one\n"
        assert handle.result() is None
        gate.touch()
        assert follow(handle, 4)[1] == b"two\n"

    def test_reads_from_an_offset_and_no_more_than_asked_for(self, bench: Bench) -> None:
        handle = bench.start("printf 0123456789")
        follow(handle)
        assert [handle.read(3, 4), handle.read(8, 4), handle.read(10, 4)] == [b"3456", b"89", b""]

    def test_binary_output(self, bench: Bench) -> None:
        assert bench.run(r"printf '\0\377\r\n\033[0m\200'").output == b"\0\xff\r\n\x1b[0m\x80"

    def test_50_mb_of_output(self, bench: Bench) -> None:
        done = bench.run("yes 'a line of output' | head -c 52428800", strict=False)
        expected = (b"a line of output\n" * (52428800 // 17 + 1))[:52428800]
        assert hashlib.sha256(done.output).digest() == hashlib.sha256(expected).digest()

    def test_the_room_of_what_was_read_is_given_back(self, bench: Bench) -> None:
        handle = bench.start("seq 1000000")
        _, whole = follow(handle)
        handle.give_back(4 << 20)
        assert handle.size == len(whole)
        assert handle.read(0, 10) == bytes(10)  # a hole
        assert handle.read(4 << 20, 10) == whole[4 << 20 :][:10]

    def test_the_end_is_noticed_while_a_child_keeps_the_output_open(self, bench: Bench) -> None:
        assert follow(bench.start("sleep 600 & echo started"))[1] == b"started\n"

    def test_output_is_waited_for_while_the_machine_is_too_busy_to_carry_it(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"
        handle = bench.start(f"echo one; until [ -e {gate} ]; do sleep 0.01; done; echo two")
        handle.wait(0, 60, None)
        carriers = [pid for pid in children(handle.process.pid) if name(pid) == "cat"]
        os.kill(*carriers, signal.SIGSTOP)
        gate.touch()
        deadline = time.monotonic() + 2 * LINGER
        while time.monotonic() < deadline:
            assert handle.result() is None
            handle.wait(4, 0.05, None)
        os.kill(*carriers, signal.SIGCONT)
        assert follow(handle)[1] == b"one\ntwo\n"

    def test_a_result_of_its_own_making_is_not_believed(self, bench: Bench, tmp_path: Path) -> None:
        gate, job = tmp_path / "gate", "$__cvdops_job"
        forge = f'echo 0 | tee "{job}/rc" >"{job}/ended"; echo forged'
        attempt = str(uuid.uuid4())
        script = f"{forge}; until [ -e {gate} ]; do sleep 0.01; done; exit 3"
        handle = bench.start(script, attempt=attempt)
        handle.wait(0, 60, None)
        deadline = time.monotonic() + 2 * LINGER
        while time.monotonic() < deadline:
            assert handle.result() is None
            handle.wait(7, 0.05, None)
        assert bench.transport.attach(attempt).presence is Presence.RUNNING
        gate.touch()
        result, output = follow(handle)
        assert (result.exit_code, output) == (3, b"forged\n")

    def test_a_child_that_writes_for_ever_does_not_keep_the_end_away(self, bench: Bench) -> None:
        handle = bench.start("while echo on; do sleep 0.01; done & echo started")
        assert follow(handle)[0].exit_code == 0

    def test_reads_nothing_from_the_watcher(self, bench: Bench) -> None:
        assert bench.run("cat; echo end").output == b"end\n"

    @SHELLS
    def test_messages_have_the_line_of_the_script(self, bench: Bench, shell: str) -> None:
        done = bench.run("\n# two\nnosuchcommand\n", interpreter=shell)
        assert done.code == 127
        assert {"bash": b": line 3: ", "sh": b": 3: "}[shell] in done.output

    @pytest.mark.parametrize("strict", [True, False])
    def test_bash_calls_the_script_by_the_name_of_the_step(
        self, bench: Bench, *, strict: bool
    ) -> None:
        script = 'if [[ ${BASH_SOURCE[0]} == "$0" ]]; then echo "$0"; pwd; fi\nf() {\nnosuchcommand\n}\nf'
        done = bench.run(script, name="restart-web", cwd="/usr", strict=strict)
        said = b"restart-web\n/usr\nrestart-web: line 3: nosuchcommand: command not found\n"
        assert done.output == said

    def test_a_script_that_bash_cannot_read_begins_and_ends_where_it_was_to_begin(
        self, bench: Bench
    ) -> None:
        done = bench.run("echo begun\nif then\n", name="restart-web", cwd="/usr")
        assert done.output.startswith(b"begun\nrestart-web: line 2: syntax error near")
        assert (done.code, done.result.cwd) == (2, "/usr")
        done = bench.run("if then", name="restart-web", cwd="/usr")
        assert done.output.startswith(b"restart-web: line 1: syntax error near")
        assert (done.code, done.result.cwd) == (2, "/usr")

    @pytest.mark.parametrize("name", ["", "../pid", "-c", "A", "a b"])
    def test_no_name_that_is_no_slug(self, bench: Bench, name: str) -> None:
        with pytest.raises(ValueError):
            bench.start("true", name=name)

    @pytest.mark.parametrize("name", ["out", "pid"])
    def test_may_have_the_name_of_a_file_of_the_job(self, bench: Bench, name: str) -> None:
        assert bench.run("echo hello\nif then", name=name).output.startswith(
            f"hello\n{name}: line 2: ".encode()
        )


class Strictness:
    """`strict` stops at the first failure; otherwise a script runs as if it were pasted."""

    @SHELLS
    @pytest.mark.parametrize("script", ["false\necho on", 'echo "$UNSET_NAME"\necho on'])
    def test_strict_stops(self, bench: Bench, shell: str, script: str) -> None:
        done = bench.run(script, interpreter=shell)
        assert done.code != 0
        assert b"on\n" not in done.output

    def test_strict_fails_inside_a_pipe(self, bench: Bench) -> None:
        assert bench.run("false | true\necho on").code == 1

    @SHELLS
    def test_pasted_goes_on(self, bench: Bench, shell: str) -> None:
        done = bench.run('false\necho "[$UNSET_NAME]"', interpreter=shell, strict=False)
        assert (done.code, done.output) == (0, b"[]\n")

    @SHELLS
    def test_the_script_may_choose_otherwise(self, bench: Bench, shell: str) -> None:
        assert bench.run("set +e\nfalse\nA=1", interpreter=shell).result.variables["A"] == "1"

    def test_options_do_not_disturb_the_end(self, bench: Bench) -> None:
        done = bench.run("A=1\nset -Cfx\nexit 3")
        assert (done.code, done.result.variables["A"]) == (3, "1")


class Surroundings:
    """What a job finds around it."""

    def test_nothing_of_the_workers_environment(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", "canary")
        names = {line.split("=")[0] for line in bench.run("env").output.decode().splitlines()}
        assert names <= {
            *("PATH", "HOME", "USER", "LOGNAME", "LANG", "PWD", "SHLVL", "_", "CVDOPS_ATTEMPT")
        }

    def test_home_may_be_missing(self, bench: Bench) -> None:
        done = bench.run("unset HOME; A=1", variables={"HOME": "/nonexistent"})
        assert (done.code, done.result.variables["A"]) == (0, "1")

    def test_files_are_made_as_after_a_login(self, bench: Bench) -> None:
        assert bench.run("umask").output == b"0022\n"

    def test_no_value_on_any_command_line(self, bench: Bench) -> None:
        word = uuid.uuid4().hex
        handle = bench.start("echo ready; sleep 300", variables={"SECRET": word})
        handle.wait(0, 60, None)
        assert not running(word)

    def test_signals_are_as_usual(self, bench: Bench) -> None:
        output = bench.run("grep -E 'Sig(Blk|Ign)' /proc/self/status").output.decode()
        # the standard ones: a parent that was begun by posix_spawn ignores the C library's own two;
        # without the first, SIGHUP, which all ignore that is begun by `nohup`
        masks = [int(line.split()[1], 16) & 0x7FFFFFFE for line in output.splitlines()]
        assert masks == [0, 0]
