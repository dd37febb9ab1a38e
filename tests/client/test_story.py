"""What is told of an execution while it moves."""

from dataclasses import replace
from io import StringIO

from cvdops.client.story import Gate, Look, Step, Story
from cvdops.lib.console import Console

STEP = Step("say", "Say it", "web-1", "running", 1, None)
LOOK = Look(
    id="0", number=7, url="/executions/0/", title="Trial", environment="development",
    state="running", outcome="", wait=("", ""), gates=(), steps=(STEP,),
)  # fmt: skip


class Written:
    """What steps have written so far, by the step and its try."""

    def __init__(self) -> None:
        self.data: dict[tuple[str, str, int], bytes] = {}

    def write(self, step: Step, data: bytes) -> None:
        key = (step.id, step.host, step.attempt)
        self.data[key] = self.data.get(key, b"") + data

    def output(self, step: Step, offset: int) -> bytes:
        return self.data.get((step.id, step.host, step.attempt), b"")[offset : offset + 5]


class Told:
    """A story and what it has printed."""

    def __init__(self, **how: bool) -> None:
        self.out, self.err, self.written = StringIO(), StringIO(), Written()
        self.story = Story(Console(self.out, self.err), **how)

    def go_on(self, *steps: Step, **changed: object) -> None:
        self.story.go_on(replace(LOOK, steps=steps, **changed), self.written)


def test_output_goes_to_stdout_and_headings_to_stderr() -> None:
    told = Told()
    told.written.write(STEP, b"one\ntw")
    told.go_on(STEP)
    told.written.write(STEP, b"o\n")
    told.go_on(replace(STEP, state="succeeded", exit_code=0))
    told.go_on(replace(STEP, state="succeeded", exit_code=0))
    assert told.out.getvalue() == "one\ntwo\n"
    assert told.err.getvalue() == "▶ Say it (web-1)\n✓ Say it (web-1)\n"


def test_with_outputs_aside_stdout_stays_free() -> None:
    told = Told(aside=True)
    told.written.write(STEP, b"one\n")
    told.go_on(STEP)
    assert told.out.getvalue() == "" and "one\n" in told.err.getvalue()


def test_without_outputs_only_steps_are_told() -> None:
    told = Told(outputs=False)
    told.written.write(STEP, b"one\n")
    told.go_on(replace(STEP, state="failed", exit_code=3))
    assert told.out.getvalue() == ""
    assert told.err.getvalue() == "▶ Say it (web-1)\n✗ Say it (web-1): failed, exit code 3\n"


def test_lines_of_two_hosts_are_not_cut_into_each_other() -> None:
    told, other = Told(), replace(STEP, host="web-2")
    told.written.write(STEP, b"begun by ")
    told.written.write(other, b"two\n")
    told.go_on(STEP, other)
    told.written.write(STEP, b"one\n")
    told.go_on(STEP, other)
    assert told.out.getvalue() == "two\nbegun by one\n"
    assert told.err.getvalue().endswith("▶ Say it (web-2)\n▶ Say it (web-1)\n")


def test_another_try_has_a_heading_of_its_own_and_the_rest_of_the_former_comes_first() -> None:
    told, again = Told(), replace(STEP, attempt=2)
    told.written.write(STEP, b"first\n")
    told.go_on(STEP)
    told.written.write(STEP, b"rest\n")
    told.written.write(again, b"second\n")
    told.go_on(again)
    assert told.out.getvalue() == "first\nrest\nsecond\n"
    assert "▶ Say it (web-1), attempt 2" in told.err.getvalue()


def test_a_heading_begins_its_own_line() -> None:
    told = Told()
    told.written.write(STEP, b"no end")
    told.go_on(replace(STEP, state="succeeded"))
    assert "\n\n✓" in told.err.getvalue()


def test_what_is_waited_for_is_said_once_with_who_can_decide() -> None:
    told = Told()
    gate = Gate("1", "Trial: Ask", ("1 more of Operations Manager, now Olga",))
    waits = {"state": "waiting", "wait": ("approval", "Approval: Ask"), "gates": (gate,)}
    told.go_on(**waits)
    told.go_on(**waits)
    assert told.err.getvalue().count("It waits: Approval: Ask") == 1
    assert "Trial: Ask: 1 more of Operations Manager, now Olga" in told.err.getvalue()


def test_a_title_cannot_do_anything_to_the_terminal() -> None:
    told = Told()
    told.go_on(replace(STEP, title="\x1b]0;x\x07"))
    assert "\x1b" not in told.err.getvalue() and "␛" in told.err.getvalue()
