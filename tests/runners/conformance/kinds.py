"""Python and SQL: what is theirs, beside all that the wrapper does for every step alike."""

import os
import shutil
import signal
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cvdops.runners.job import Presence, StartFailed, Wakeup
from tests import databases
from tests.databases import Place
from tests.runners.bench import Bench, Done, follow, running
from tests.waiting import until


def of_sql(place: Place, **changes: object) -> dict[str, object]:
    """What a job has to have for a database."""
    variables = {"PATH": place.path, **changes.pop("variables", {})}
    fields = {"interpreter": place.kind, "database": place.location, "variables": variables}
    return {**fields, **changes}


class PythonSteps:
    """A script in a file, with the target's own python3."""

    def test_runs_with_its_variables(self, bench: Bench) -> None:
        script = "import os, sys\nprint(os.environ['NAME'])\nsys.exit(3)"
        done = bench.run(script, interpreter="python", variables={"NAME": "é"})
        assert (done.code, done.output.decode()) == (3, "é\n")
        assert done.result.variables == {}

    def test_output_arrives_while_it_runs(self, bench: Bench, tmp_path: Path) -> None:
        gate = tmp_path / "gate"
        script = f"import os, time\nprint('one')\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)"
        handle = bench.start(script, interpreter="python")
        assert handle.wait(0, 60, None) is Wakeup.OUTPUT
        until(lambda: handle.read(0, 100) == b"one\n", what="the whole line")
        gate.touch()
        assert follow(handle)[0].exit_code == 0

    def test_messages_have_the_line_of_the_script(self, bench: Bench) -> None:
        done = bench.run("\n1 / 0", interpreter="python")
        assert (done.code, b"line 2" in done.output) == (1, True)

    def test_nothing_of_the_wrapper_is_around_it(self, bench: Bench) -> None:
        done = bench.run("import os\nprint(*os.environ)", interpreter="python")
        names = set(done.output.decode().split())
        assert {n for n in names if n.startswith(("CVDOPS", "BASH"))} == {"CVDOPS_ATTEMPT"}

    def test_the_directory_stays(self, bench: Bench) -> None:
        done = bench.run("import os\nos.chdir('/tmp')", interpreter="python", cwd="/usr")
        assert done.result.cwd == "/usr"


class SqlSteps:
    """Statements, with the client of the target."""

    @pytest.fixture(params=["sqlite", "postgresql"])
    def place(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
        if request.param == "sqlite":
            yield databases.sqlite(tmp_path)
            return
        with databases.postgresql() as place:
            yield place

    def sql(self, bench: Bench, place: Place, text: str, **changes: object) -> Done:
        return bench.run(text, **of_sql(place, **changes))

    def test_rows_are_a_table(self, bench: Bench, place: Place) -> None:
        done = self.sql(bench, place, "SELECT 1 AS id, 'x' AS status UNION SELECT 12, NULL;")
        lines = [" ".join(line.split()) for line in done.output.decode().splitlines()]
        assert (done.code, lines[:1]) == (0, ["+----+--------+"])
        assert {"| id | status |", "| 1 | x |", "| 12 | |"} <= set(lines)

    def test_bare_rows_are_the_values_alone(self, bench: Bench, place: Place) -> None:
        assert self.sql(bench, place, "SELECT 6 * 7 AS x;", bare=True).output == b"42\n"

    def test_a_value_is_bound(self, bench: Bench, place: Place) -> None:
        value = "x'; SELECT 'gone"
        text = {"sqlite": "SELECT :A;", "postgresql": "SELECT :'cvdops_A';"}[place.kind]
        done = self.sql(bench, place, text, bare=True, names=("A",), variables={"A": value})
        assert done.output.decode() == f"{value}\n"

    def test_the_first_error_ends_it(self, bench: Bench, place: Place) -> None:
        done = self.sql(bench, place, "SELECT 1;\nSELECT nothing;\nSELECT 'after';")
        assert done.code == {"sqlite": 1, "postgresql": 3}[place.kind]
        assert b"after" not in done.output
        assert {"sqlite": b"line 2", "postgresql": b":2: ERROR"}[place.kind] in done.output

    def test_a_transaction_that_fails_leaves_nothing(self, bench: Bench, place: Place) -> None:
        name = f"t{uuid.uuid4().hex}"
        text = f"BEGIN;\nCREATE TABLE {name} (a int);\nSELECT nothing;\nCOMMIT;"
        assert self.sql(bench, place, text).code != 0
        assert self.sql(bench, place, f"CREATE TABLE {name} (a int);\nDROP TABLE {name};").code == 0

    def test_a_variable_without_a_value_is_named(self, bench: Bench, place: Place) -> None:
        with pytest.raises(StartFailed, match="name A, B, which nobody has set"):
            self.sql(bench, place, "SELECT 1;", names=("A", "B"))

    def test_the_readers_own_settings_are_not_read(
        self, bench: Bench, place: Place, tmp_path: Path
    ) -> None:
        for name, line in ((".sqliterc", ".mode json\n"), (".psqlrc", "\\pset format html\n")):
            (tmp_path / name).write_text(line)
        home = {"HOME": str(tmp_path)}
        assert b" 1 |" in self.sql(bench, place, "SELECT 1;", variables=home).output

    def test_a_missing_client_is_said(self, bench: Bench, place: Place, tmp_path: Path) -> None:
        program = {"sqlite": "sqlite3", "postgresql": "psql"}[place.kind]
        with pytest.raises(StartFailed, match=f"{program} is not installed on"):
            self.sql(bench, place, "SELECT 1;", variables={"PATH": str(tmp_path)})

    def test_without_the_tools_that_carry_values_nothing_runs(
        self, bench: Bench, place: Place, tmp_path: Path
    ) -> None:
        program = {"sqlite": "sqlite3", "postgresql": "psql"}[place.kind]
        (tmp_path / program).symlink_to(shutil.which(program, path=place.path))
        done = self.sql(bench, place, "SELECT 1;", variables={"PATH": str(tmp_path)})
        assert (done.code, b"od and tr are not in" in done.output) == (1, True)

    def test_it_outlives_its_watcher_and_is_stopped(self, bench: Bench, place: Place) -> None:
        text = {
            "sqlite": "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
            "SELECT count(*) FROM c;",
            "postgresql": "SELECT pg_sleep(600);",
        }[place.kind]
        job = bench.job(f"SELECT 'begun';\n{text}", **of_sql(place))
        handle = bench.transport.start(job)
        bench.started.append(handle)
        assert handle.wait(0, 60, None) is Wakeup.OUTPUT
        found = bench.transport.attach(job.attempt)
        assert found.presence is Presence.RUNNING
        assert found.handle.stop(30).gone
        assert not running(f"{job.attempt}/")

    def test_a_database_that_is_not_there_is_not_made(self, bench: Bench, tmp_path: Path) -> None:
        missing = tmp_path / "-missing.db"
        done = self.sql(bench, Place("sqlite", str(missing)), "SELECT 1;")
        assert (done.code, missing.exists()) == (1, False)
        assert f"There is no database {missing} on this host" in done.output.decode()

    def test_a_stop_reaches_the_statement_in_the_server(self, bench: Bench) -> None:
        """Which would go on with it when its client is gone. No value is on a command line meanwhile."""
        word = uuid.uuid4().hex
        mark = {"names": ("MARK",), "variables": {"MARK": word}, "bare": True}
        like = "query LIKE 'SELECT pg_sleep%' || :'cvdops_MARK' || '%'"
        asking = f"SELECT count(*) FROM pg_stat_activity WHERE {like};"  # noqa: S608 — constants
        with databases.postgresql() as place:
            sleeping = of_sql(place, **mark)
            handle = bench.start("SELECT pg_sleep(600), :'cvdops_MARK'", **sleeping)
            bench.started.append(handle)
            until(lambda: self.sql(bench, place, asking, **mark).output == b"1\n")
            assert running("pg_sleep") == running(word) == []
            assert handle.stop(30).gone
            assert follow(handle)[0].exit_code == 3
            assert self.sql(bench, place, asking, **mark).output == b"0\n"

    def test_a_stop_is_not_lost_between_two_statements(self, bench: Bench) -> None:
        """Nor the client's own exit code when it comes again."""
        passing = "trap '' TERM; echo begun; sleep 1"  # while a program runs, psql hears nothing
        with databases.postgresql() as place:
            handle = bench.start(f"\\! {passing}\nSELECT pg_sleep(600);", **of_sql(place))
            assert handle.wait(0, 60, None) is Wakeup.OUTPUT
            os.killpg(handle.process.pid, signal.SIGTERM)
            report = handle.stop(30)
            result, output = follow(handle)
            assert (report.gone, result.exit_code) == (True, 3), output
            assert b"canceling statement" in output

    def test_a_lock_is_waited_for(self, bench: Bench, tmp_path: Path) -> None:
        place = databases.sqlite(tmp_path)
        with closing(sqlite3.connect(place.location)) as other:
            other.execute("BEGIN IMMEDIATE")
            handle = bench.start("SELECT 'begun';\nDELETE FROM orders;", **of_sql(place))
            assert handle.wait(0, 60, None) is Wakeup.OUTPUT
            other.rollback()
        assert follow(handle)[0].exit_code == 0
