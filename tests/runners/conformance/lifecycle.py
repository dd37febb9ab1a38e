"""Starting once, finding again, waiting, stopping, cleaning up."""

import os
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
    Vanished,
    Wakeup,
)
from tests.runners.bench import Bench, follow, running
from tests.waiting import next_line, until


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
        job = bench.job("echo before; read -r _ < <(sleep 0.2); kill -9 0", strict=False)
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
            next_line(watcher)
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
        assert bench.start("sleep 300").wait(0, 0.2, None) is Wakeup.TIMEOUT
        assert 0.15 < time.monotonic() - before < 60

    def test_until_woken(self, bench: Bench) -> None:
        wake = os.eventfd(0, os.EFD_NONBLOCK)
        handle = bench.start("sleep 300")
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(handle.wait, 0, 60, wake)
            os.eventfd_write(wake, 1)
            assert waiting.result(30) is Wakeup.WOKEN
        assert os.eventfd_read(wake) == 1
        os.close(wake)

    def test_until_the_end(self, bench: Bench) -> None:
        handle = bench.start("sleep 0.1")
        assert handle.wait(0, 60, None) is Wakeup.ENDED
        assert until(handle.result).exit_code == 0

    def test_an_end_that_nobody_has_looked_at_is_known_when_it_is_asked_for(
        self, bench: Bench
    ) -> None:
        handle, job = bench.start("sleep 300"), bench.job("exit 3")
        watched = bench.transport.start(job)
        assert handle.result_now() is None
        until(lambda: bench.transport.attach(job.attempt).presence is Presence.FINISHED)
        assert watched.result_now().exit_code == 3

    def test_two_watchers_of_one_job(self, bench: Bench) -> None:
        job = bench.job("sleep 0.1; echo hello; sleep 300")
        handles = [bench.transport.start(job), bench.transport.attach(job.attempt).handle]
        bench.started.append(handles[0])
        with ThreadPoolExecutor(2) as pool:
            assert set(pool.map(lambda h: h.wait(0, 60, None), handles)) == {Wakeup.OUTPUT}


class Stopping:
    """What a job started is gone afterwards: looked for, not assumed."""

    def test_a_job_that_obeys(self, bench: Bench) -> None:
        handle = bench.start(
            "trap 'echo cleaned; exit 9' TERM\necho ready\nwhile :; do sleep 0.02; done"
        )
        handle.wait(0, 60, None)
        assert handle.stop(60).gone
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

    @pytest.mark.parametrize("claim", [":", 'rm -r "$(dirname "$(readlink /proc/$$/fd/7)")"'])
    def test_what_gave_up_environment_session_and_parents(self, bench: Bench, claim: str) -> None:
        word = f"32{uuid.uuid4().int % 10**9}"
        hide = f"""(env -i setsid bash -c 'trap "" TERM; exec sleep {word}' </dev/null >/dev/null 2>&1 &)"""
        job = bench.job(f"{claim}\n{hide}\nsleep 300")
        bench.transport.start(job)
        until(lambda: running(f"sleep {word}"))
        assert set(running(f"sleep {word}")) < set(bench.transport.running(job.attempt, None))
        report = bench.transport.stop(job.attempt, None, 0.1)
        assert (report.gone, running(word)) == (True, [])
        assert bench.transport.running(job.attempt, None) == ()

    @pytest.mark.parametrize("pause", ["sleep 0.01", ":"])
    def test_chains_of_short_lived_processes(
        self, bench: Bench, pause: str, tmp_path: Path
    ) -> None:
        beat = tmp_path / "beat"
        chain = f'{pause}; echo >{beat}; (setsid bash -c "$CHAIN" &)'
        script = 'for _ in {1..5}; do (setsid bash -c "$CHAIN" &); done\nsleep 300'
        handle = bench.start(script, variables={"CHAIN": chain})
        until(beat.exists)
        assert handle.stop(0.1).gone
        beat.unlink()
        assert bench.start("sleep 0.3").wait(0, 60, None) is Wakeup.ENDED
        assert not beat.exists()

    def test_what_a_finished_job_left_running(self, bench: Bench) -> None:
        word = f"33{uuid.uuid4().int % 10**9}"
        done = bench.run(f"setsid sleep {word} &")
        until(lambda: running(word))
        assert bench.transport.attach(done.attempt).handle.stop(0).gone
        assert not running(word)

    def test_nobody_else_is_touched(self, bench: Bench) -> None:
        other = bench.start("sleep 300")
        assert bench.start("sleep 300").stop(1).gone
        assert other.wait(0, 0.05, None) is Wakeup.TIMEOUT


class Cleaning:
    """Files go, the claim stays."""

    def test_files_go(self, bench: Bench) -> None:
        done = bench.run("echo hello")
        bench.transport.clean(done.attempt)
        bench.transport.clean(done.attempt)
        assert bench.vanished(done.attempt).handle.read(0, 100) == b""

    def test_of_several_it_is_seen_that_they_are_gone(self, bench: Bench) -> None:
        done = [bench.run("echo hello").attempt, bench.run("true").attempt]
        assert bench.transport.cleaned([*done, str(uuid.uuid4())])
        assert bench.transport.cleaned(done)
        for attempt in done:
            assert bench.transport.attach(attempt).handle.read(0, 100) == b""

    def test_the_claim_stays_and_is_listed_the_newest_first(self, bench: Bench) -> None:
        before, done = bench.run("true"), bench.run("true")
        bench.transport.clean(done.attempt)
        assert bench.transport.claims()[:2] == [done.attempt, before.attempt]
