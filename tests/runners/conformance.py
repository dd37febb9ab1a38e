"""What every transport does alike. A transport's tests inherit these and give its `transport`."""

import hashlib
import os
import signal
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cvdops.runners.job import (
    AlreadyClaimed,
    Presence,
    StartFailed,
    Transport,
    Vanished,
    Wakeup,
)
from tests.runners.bench import Bench, follow, running
from tests.waiting import until

SHELLS = pytest.mark.parametrize("shell", ["bash", "sh"])

HOSTILE = {
    "empty": "",
    "space": "  two  words  ",
    "quotes": "'\"`'\"'\"'",
    "substitution": "$(touch canary) `touch canary` ${HOME} $$",
    "separators": "; touch canary & touch canary | cat\n",
    "newlines": "\n\na\r\nb\n\n",
    "backslashes": "\\ \\n \\\\ \\'",
    "glob": "* ? [a-z] ~ {a,b}",
    "control": "\x01\x02\a\b\t\v\f\x1b[31m\x7f\x80",
    "emoji": "🎉 é ﷽ \u202e",
    "option": "-rf --",
    "format": "%s%n%d \\x00 \\0",
    "equals": "a=b=c",
    "declaration": 'x"\ndeclare -x PATH="/evil"\n',
    "assignment": "\nPATH=/evil\n\\0PATH=/evil",
}


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

    def test_output_arrives_while_the_job_runs(self, bench: Bench, tmp_path: Path) -> None:
        gate = tmp_path / "gate"
        handle = bench.start(f"echo one; until [ -e {gate} ]; do sleep 0.01; done; echo two >&2")
        assert handle.wait(0, 10, None) is Wakeup.OUTPUT
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

    def test_the_end_is_noticed_while_a_child_keeps_the_output_open(self, bench: Bench) -> None:
        before = time.monotonic()
        assert bench.run("sleep 60 & echo started").output == b"started\n"
        assert time.monotonic() - before < 2

    def test_reads_nothing_from_the_watcher(self, bench: Bench) -> None:
        assert bench.run("cat; echo end").output == b"end\n"

    @SHELLS
    def test_messages_have_the_line_of_the_script(self, bench: Bench, shell: str) -> None:
        done = bench.run("\n# two\nnosuchcommand\n", interpreter=shell)
        assert done.code == 127
        assert {"bash": b": line 3: ", "sh": b": 3: "}[shell] in done.output


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
    @pytest.mark.parametrize("name", HOSTILE)
    def test_hostile_values(self, bench: Bench, shell: str, name: str, tmp_path: Path) -> None:
        done = bench.run(
            'COPY=$VALUE; printf %s "$VALUE"',
            interpreter=shell,
            variables={"VALUE": HOSTILE[name]},
            cwd=str(tmp_path),
        )
        assert done.output == HOSTILE[name].encode()
        assert done.result.variables["COPY"] == done.result.variables["VALUE"] == HOSTILE[name]
        assert not (tmp_path / "canary").exists()

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
        handle = bench.start("echo ready; sleep 30", variables={"SECRET": word})
        handle.wait(0, 10, None)
        assert not running(word)

    def test_signals_are_as_usual(self, bench: Bench) -> None:
        assert (
            bench.run("grep -E 'Sig(Blk|Ign)' /proc/self/status | grep -c 0000000000000000").output
            == b"2\n"
        )


class Claiming:
    """An attempt starts once."""

    def test_a_second_start_is_refused(self, bench: Bench, tmp_path: Path) -> None:
        job = bench.job(f"echo started >>{tmp_path}/count")
        follow(bench.transport.start(job))
        with pytest.raises(AlreadyClaimed):
            bench.transport.start(job)
        assert (tmp_path / "count").read_text() == "started\n"

    def test_many_starts_at_once(self, bench: Bench, tmp_path: Path) -> None:
        job = bench.job(f"echo started >>{tmp_path}/count")

        def start(_: int) -> int:
            try:
                follow(bench.transport.start(job))
            except AlreadyClaimed:
                return 0
            return 1

        with ThreadPoolExecutor(20) as pool:
            assert sum(pool.map(start, range(20))) == 1
        assert (tmp_path / "count").read_text() == "started\n"

    def test_a_cleaned_claim_is_still_one(self, bench: Bench) -> None:
        done = bench.run("echo hello")
        bench.transport.clean(done.attempt)
        with pytest.raises(AlreadyClaimed):
            bench.transport.start(bench.job("true", attempt=done.attempt))

    def test_an_attempt_is_no_path(self, bench: Bench) -> None:
        with pytest.raises(ValueError, match="not the identifier"):
            bench.start("true", attempt="../escape")

    @pytest.mark.parametrize(
        ("variables", "sentence"),
        [
            ({"A": "x\0y"}, "The value of A contains a NUL byte"),
            ({"A": "x" * 131072}, "The value of A is longer than 128 KiB"),
            ({f"A{i}": "x" * 131000 for i in range(40)}, "too large together"),
            ({"A B": "x"}, "'A B' cannot be the name of a variable"),
            ({"PATH": "/nonexistent"}, "bash is not installed"),
        ],
    )
    def test_says_why_it_cannot_start(
        self, bench: Bench, variables: dict[str, str], sentence: str
    ) -> None:
        with pytest.raises(StartFailed, match=sentence):
            bench.start("true", variables=variables)


class Attaching:
    """A job outlives its watcher; another one finds it."""

    def test_absent(self, bench: Bench) -> None:
        assert bench.transport.attach(str(uuid.uuid4())).presence is Presence.ABSENT

    def test_running_then_finished(self, bench: Bench) -> None:
        job = bench.job("read -r _ < <(sleep 0.2); A=1; exit 3", strict=False)
        bench.started.append(bench.transport.start(job))
        found = bench.transport.attach(job.attempt)
        assert found.presence is Presence.RUNNING
        assert follow(found.handle)[0].exit_code == 3
        again = bench.transport.attach(job.attempt)
        assert again.presence is Presence.FINISHED
        assert again.handle.result().variables["A"] == "1"

    def test_vanished(self, bench: Bench) -> None:
        job = bench.job("echo before; kill -9 0")
        handle = bench.transport.start(job)
        with pytest.raises(Vanished, match="without leaving an exit code"):
            follow(handle)
        found = bench.transport.attach(job.attempt)
        assert found.presence is Presence.VANISHED
        assert found.handle.read(0, 100) == b"before\n"

    def test_nothing_is_lost_when_the_watcher_is_killed(self, bench: Bench, launcher: str) -> None:
        job = bench.job("for i in {1..20}; do echo line $i; sleep 0.03; done")
        code = f"{launcher}\ntransport.start({job!r})\nprint(flush=True)\ninput()"
        with subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as watcher:
            watcher.stdout.readline()
            watcher.kill()
        found = bench.transport.attach(job.attempt)
        assert found.presence is Presence.RUNNING
        output = follow(found.handle)[1].decode()
        assert output.split("\n") == [*(f"line {i}" for i in range(1, 21)), ""]

    def test_the_spool_keeps_its_identity(self, bench: Bench) -> None:
        spool = bench.transport.spool()
        assert spool == bench.transport.spool()
        assert len(spool.identity) >= 32
        assert len(spool.boot_id) == 36


class Waiting:
    """A watcher sleeps until there is something to do."""

    def test_until_the_time_is_up(self, bench: Bench) -> None:
        before = time.monotonic()
        assert bench.start("sleep 30").wait(0, 0.2, None) is Wakeup.TIMEOUT
        assert 0.15 < time.monotonic() - before < 2

    def test_until_woken(self, bench: Bench) -> None:
        wake = os.eventfd(0, os.EFD_NONBLOCK)
        handle = bench.start("sleep 30")
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(handle.wait, 0, 20, wake)
            os.eventfd_write(wake, 1)
            assert waiting.result(5) is Wakeup.WOKEN
        assert os.eventfd_read(wake) == 1
        os.close(wake)

    def test_until_the_end(self, bench: Bench) -> None:
        handle = bench.start("sleep 0.1")
        assert handle.wait(0, 20, None) is Wakeup.ENDED
        assert until(handle.result).exit_code == 0

    def test_two_watchers_of_one_job(self, bench: Bench) -> None:
        job = bench.job("sleep 0.1; echo hello; sleep 30")
        handles = [bench.transport.start(job), bench.transport.attach(job.attempt).handle]
        bench.started.append(handles[0])
        with ThreadPoolExecutor(2) as pool:
            assert set(pool.map(lambda h: h.wait(0, 20, None), handles)) == {Wakeup.OUTPUT}


class Stopping:
    """What a job started is gone afterwards: looked for, not assumed."""

    def test_a_job_that_obeys(self, bench: Bench) -> None:
        handle = bench.start(
            "trap 'echo cleaned; exit 9' TERM\necho ready\nwhile :; do sleep 0.02; done"
        )
        handle.wait(0, 10, None)
        assert handle.stop(10).gone
        result, output = follow(handle)
        assert result.exit_code == 9
        assert output.endswith(b"cleaned\n")

    def test_a_tree_that_ignores_everything(self, bench: Bench) -> None:
        word = f"31{uuid.uuid4().int % 10**9}"
        script = f"""
            trap '' TERM HUP INT
            (setsid sh -c 'trap "" TERM; while :; do sleep {word}; done' &)   # another session
            (nohup sh -c '(sleep {word} &) & exec sleep {word}' >/dev/null 2>&1 &)   # two forks
            env -i /bin/sleep {word} &   # without the marker
            setsid env -i /bin/sh -c '/bin/sleep {word}; :' &   # without both
            echo ready; while :; do sleep {word}; done
        """
        handle = bench.start(script)
        until(lambda: len(running(f"sleep {word}")) >= 6)
        report = handle.stop(0.3)
        assert (report.gone, report.left, running(word)) == (True, (), [])

    @pytest.mark.parametrize("pause", ["sleep 0.01", ":"])
    def test_chains_of_short_lived_processes(
        self, bench: Bench, pause: str, tmp_path: Path
    ) -> None:
        beat = tmp_path / "beat"
        chain = f'{pause}; echo >{beat}; (setsid bash -c "$CHAIN" &)'
        script = 'for _ in {1..5}; do (setsid bash -c "$CHAIN" &); done\nsleep 30'
        handle = bench.start(script, variables={"CHAIN": chain})
        until(beat.exists)
        assert handle.stop(0.1).gone
        beat.unlink()
        assert bench.start("sleep 0.3").wait(0, 20, None) is Wakeup.ENDED
        assert not beat.exists()

    def test_what_a_finished_job_left_running(self, bench: Bench) -> None:
        word = f"33{uuid.uuid4().int % 10**9}"
        done = bench.run(f"setsid sleep {word} &")
        until(lambda: running(word))
        assert bench.transport.attach(done.attempt).handle.stop(0).gone
        assert not running(word)

    def test_nobody_else_is_touched(self, bench: Bench) -> None:
        other = bench.start("sleep 30")
        assert bench.start("sleep 30").stop(1).gone
        assert other.wait(0, 0.05, None) is Wakeup.TIMEOUT


class Cleaning:
    """Files go, the claim stays."""

    def test_files_go(self, bench: Bench) -> None:
        done = bench.run("echo hello")
        bench.transport.clean(done.attempt)
        bench.transport.clean(done.attempt)
        found = bench.transport.attach(done.attempt)
        assert found.presence is Presence.VANISHED
        assert found.handle.read(0, 100) == b""


class Conformance(
    Running,
    Strictness,
    SessionCarried,
    Surroundings,
    Claiming,
    Attaching,
    Waiting,
    Stopping,
    Cleaning,
):
    """All of them. The subclass gives the fixtures `transport` and `launcher`, the text of a Python
    program that makes the same transport under this name."""

    @pytest.fixture
    def bench(self, transport: Transport):
        bench = Bench(transport)
        yield bench
        bench.end()
