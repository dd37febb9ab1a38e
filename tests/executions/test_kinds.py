"""Python and SQL in the engine: all that holds for a step of a shell, and what is their own."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cvdops.executions import services
from cvdops.lib.errors import Invalid
from tests import databases
from tests.executions.scene import Scene
from tests.executions.test_control import at_work, begun
from tests.executions.test_engine import block
from tests.faults.play import expire_leases, play, victim
from tests.hostile_values import HOSTILE
from tests.sshd import Sshd
from tests.waiting import until


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, scene: Scene, tmp_path: Path) -> Iterator[Scene]:
    """The scene with a database `orders`."""
    if request.param == "sqlite":
        _place(scene, databases.sqlite(tmp_path))
        yield scene
        return
    with databases.postgresql() as place:
        _place(scene, place)
        yield scene


@pytest.fixture
def orders(scene: Scene, tmp_path: Path) -> Scene:
    """The scene with a table in SQLite."""
    _place(scene, databases.sqlite(tmp_path))
    return scene


def _place(scene: Scene, place: databases.Place) -> None:
    scene.environment.variables.create(name="PLACE", value=place.location)
    scene.environment.variables.create(name="PATH", value=place.path)
    scene.environment.databases.create(name="orders", kind=place.kind, location="${PLACE}")


PLACES = ("attempt.started", "attempt.finished")


def sql(key: str, text: str, attributes: str = "") -> str:
    return block(key, text, attributes, kind="sql")


def python(key: str, text: str, attributes: str = "") -> str:
    return block(key, text, attributes, kind="python")


def test_python_runs_with_the_session_and_leaves_it_alone(scene: Scene) -> None:
    scene.runbook(
        block("one", "NAME='a b'; cd /usr")
        + python("two", "import os\nprint(os.environ['NAME'], os.getcwd())\nos.chdir('/')")
        + block("three", 'echo "$NAME $PWD"')
    )
    execution = scene.run()
    assert scene.output(execution, "two") == scene.output(execution, "three") == "a b /usr\n"
    assert scene.steps(execution)["two"].note == ""


def test_captured_output_of_python_is_a_variable(scene: Scene) -> None:
    scene.runbook(python("one", "print(6 * 7)", "capture=ANSWER") + block("two", 'echo "$ANSWER"'))
    assert scene.output(scene.run(), "two") == "42\n"


def test_a_python_that_is_missing_is_said(scene: Scene) -> None:
    scene.environment.variables.create(name="PATH", value="/nonexistent")
    scene.runbook(python("one", "print(1)"))
    step = scene.steps(scene.run())["one"]
    assert step.state == "failed"
    assert step.note.startswith("python3 is not installed on this machine")


def test_sql_runs_against_a_database_of_the_environment(database: Scene) -> None:
    """Its rows are a table, a captured value is bare, and a secret is bound and masked."""
    sample = "```output\n| word | number |\n| a | 1 |\n```\n\n"
    database.runbook(
        sql("one", "SELECT 'a' AS word, 1 AS number;", "database=orders checkpoint")
        + sample
        + sql("two", "SELECT 6 * 7 AS answer;", "capture=ANSWER")
        + sql("three", "SELECT :ANSWER || ' is ' || :TOKEN;"),
        extra="variables: {TOKEN: {secret: true}}\n",
    )
    execution = database.run(variables={"TOKEN": "sup3r-'s3cret"})
    assert execution.state == "succeeded"
    assert database.steps(execution)["one"].sample == "kept"
    assert "42 is •••" in database.output(execution, "three")
    assert "sup3r" not in str([execution.plan, execution.variables, execution.session])


def test_sql_that_fails_waits_for_a_person(orders: Scene) -> None:
    orders.runbook(sql("one", "SELECT nothing;\nSELECT 'after';"))
    execution = orders.run()
    assert execution.waiting_for["code"] == "step"
    assert "after" not in orders.output(execution, "one")


def test_a_variable_that_nobody_set_stops_sql_before_it_begins(orders: Scene) -> None:
    orders.runbook(sql("one", "SELECT :NOBODY;"))
    note = orders.steps(orders.run())["one"].note
    assert note.startswith("The statements name NOBODY, which nobody has set.")


ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c;"


def test_sql_is_ended_by_its_time_limit(orders: Scene) -> None:
    orders.runbook(sql("one", ENDLESS, "timeout=500ms"))
    step = orders.steps(orders.run())["one"]
    assert (step.state, "verified" in step.note) == ("timed_out", True)


def test_sql_is_cancelled(orders: Scene) -> None:
    orders.runbook(sql("one", ENDLESS))
    execution = orders.start()
    with at_work(execution):
        begun(orders, execution, "one")
        services.cancel(orders.person("devops-engineer"), execution.pk)
    assert execution.state == "cancelled"
    assert "verified" in orders.steps(execution)["one"].note


def test_sql_is_tried_again(orders: Scene) -> None:
    text = "SELECT 1 / (id = 9) AS x, abs(-9223372036854775808 + (id = 9)) FROM orders;"
    orders.runbook(sql("one", text, "retry=1 backoff=1s"))
    execution = orders.run()
    assert execution.waiting_for["code"] == "retry"
    change = sqlite(
        orders, "UPDATE orders SET id = 9 WHERE id = 1; DELETE FROM orders WHERE id < 9"
    )
    assert change.returncode == 0
    until(lambda: orders.advance(execution).state == "succeeded", what="the second try")
    assert orders.steps(execution)["one"].attempt_count == 2


def sqlite(scene: Scene, text: str) -> "subprocess.CompletedProcess[str]":
    """As somebody else would, meanwhile."""
    place = scene.environment.variables.get(name="PLACE").value
    return subprocess.run(["sqlite3", place, text], capture_output=True, text=True, check=False)


def test_a_worker_that_dies_loses_and_repeats_nothing(orders: Scene, tmp_path: Path) -> None:
    insert = "INSERT INTO orders (status) VALUES ('once');"
    write = f"with open({str(tmp_path / 'effect')!r}, 'a') as f: print('once', file=f)"
    orders.runbook(sql("one", insert) + python("two", write + "\nprint('written')"))
    for number, place in enumerate(PLACES, start=1):
        execution = orders.start()
        assert victim(execution, place) == 9
        expire_leases()
        assert play(execution.pk).state == "succeeded"
        assert orders.output(execution, "two") == "written\n"
        assert (tmp_path / "effect").read_text() == number * "once\n"
    count = sqlite(orders, "SELECT count(*) FROM orders WHERE status = 'once'")
    assert count.stdout == f"{len(PLACES)}\n"


LOCATIONS = {
    "orders.db": "is no path that begins with /",
    "-version": "is no path that begins with /",
    "${NOWHERE}/x.db": "names NOWHERE, which the environment does not set",
}


def test_a_location_that_is_none_is_named_before_the_start(orders: Scene) -> None:
    orders.runbook(sql("one", "SELECT 1;"))
    for location, sentence in LOCATIONS.items():
        orders.environment.databases.update(location=location)
        with pytest.raises(Invalid, match=f"the database orders {sentence}"):
            orders.start()


def test_no_value_that_a_person_gives_gets_into_a_location(orders: Scene) -> None:
    orders.environment.variables.filter(name="PLACE").delete()
    orders.runbook(sql("one", "SELECT :PLACE;"), extra="variables: {PLACE: {secret: true}}\n")
    with pytest.raises(Invalid, match="names PLACE, which the environment does not set"):
        orders.start(variables={"PLACE": "/somewhere/secret.db"})


# What a person may give for a string: one line of printable text.
GIVEN = {
    f"V{number}": value
    for number, value in enumerate(v for v in HOSTILE if v.isprintable() and len(v) < 200)
    if number % 6 == 0
}


def test_hostile_values_reach_every_kind_as_they_are(database: Scene, tmp_path: Path) -> None:
    names = json.dumps(list(GIVEN))
    shell = f"cd '{tmp_path}'\n" + "".join(f'printf "%s\\n" "${{{n}}}"\n' for n in GIVEN)
    steps = {
        "bash": shell,
        "sh": shell,
        "python": f"import os\nfor n in {names}: print(os.environ[n])",
        "sql": "".join(f"SELECT :{n} AS x;\n" for n in GIVEN),
    }
    text = "".join(
        block(kind, body, "capture=LAST" if kind == "sql" else "", kind=kind)
        for kind, body in steps.items()
    )
    names = ", ".join(f"{name}: {{required: true}}" for name in GIVEN)
    database.runbook(text, extra=f"variables: {{{names}}}\n")
    execution = database.run(variables=GIVEN)
    assert execution.state == "succeeded"
    for kind in steps:
        assert database.output(execution, kind).split("\n") == [*GIVEN.values(), ""]
    assert not list(tmp_path.rglob("canary"))


TRANSCRIPT = """\
$ NAME=world
$ cat <<END
> hello $NAME
> END
hello world
$ printf '%s %s\\n' \\
>   one \\
>   two
one two
$ for n in 1 2; do
>   echo "line $n"
> done
line 1
line 2"""


@pytest.mark.parametrize("language", ["console", "shell-session"])
def test_a_transcript_runs_what_stands_after_its_prompts(scene: Scene, language: str) -> None:
    """Commands with their continuation lines and here-documents; the other lines are what is promised."""
    scene.runbook(
        block("one", TRANSCRIPT, "checkpoint", kind=language) + block("two", 'echo "$NAME"')
    )
    execution = scene.run()
    assert execution.state == "succeeded", scene.steps(execution)["one"].note
    assert scene.output(execution, "one") == "hello world\none two\nline 1\nline 2\n"
    assert scene.steps(execution)["one"].sample == "kept"
    assert scene.output(execution, "two") == "world\n"


def test_a_transcript_that_comes_out_differently_says_where(scene: Scene) -> None:
    scene.runbook(
        block("one", TRANSCRIPT.replace("line 2", "line 3"), "expect=exact", kind="console")
    )
    step = scene.steps(scene.run())["one"]
    assert (step.state, step.sample) == ("failed", "differs")


def test_over_ssh(far: Scene, server: Sshd) -> None:
    place = databases.sqlite(server.login.home)
    _place(far, place)
    far.runbook(
        python("one", "print(2)", "target=far capture=WANTED")
        + sql("two", "SELECT status FROM orders WHERE id = :WANTED;", "target=far")
    )
    assert "| done " in far.output(far.run(), "two")
