"""An execution as somebody follows it at a terminal: what is told as it moves, and how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

from cvdops.lib.console import Console
from cvdops.lib.sgr import Sgr
from cvdops.lib.visible import visible

# What is waited for that comes by itself: another execution, a time. All else is for a person.
BY_ITSELF = frozenset({"lock", "child", "retry"})
UNSERVED = "worker"  # no worker serves its queue: somebody starts one
STUCK = "step"  # a step did not succeed: somebody decides what becomes of it
OVER = frozenset({"succeeded", "failed", "rejected", "expired", "cancelled", "rolled_back"})
_STEP_TONES = {
    "succeeded": ("✓", "ok"),
    "skipped": ("–", "muted"),
    "waiting": ("…", "wait"),
    "cancelled": ("■", "muted"),
}
_NOT_BEGUN = frozenset({"pending", "running", "waiting"})
_LONGEST = 64 << 10  # bytes of a line that is held back until it ends, while other steps write too


class Exit(IntEnum):
    """What a command that runs something says to the shell."""

    SUCCEEDED = 0
    FAILED = 1  # failed or rejected; whatever ended otherwise than well
    REFUSED = 2  # bad input, or not allowed
    WAITING = 3  # for somebody
    STOPPED = 130  # watching was stopped (Ctrl-C); it goes on


@dataclass(frozen=True, slots=True)
class Step:
    """A step on one host, as it stands. `shown`: whether its output may be read."""

    id: str
    title: str
    host: str
    state: str
    attempt: int
    exit_code: int | None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Gate:
    """An approval that it waits for. `groups`: who has to agree, as sentences."""

    id: str
    title: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """An execution at one moment. `wait`: the code and the sentence of what it waits for."""

    id: str
    number: int
    url: str
    title: str
    environment: str
    state: str
    outcome: str
    wait: tuple[str, str]
    gates: tuple[Gate, ...]
    steps: tuple[Step, ...]

    @property
    def over(self) -> bool:
        return self.state in OVER

    @property
    def for_somebody(self) -> bool:
        """Whether nothing moves until a person does something."""
        if self.wait[0] == UNSERVED:
            return True
        standing = self.state in {"pending", "waiting", "paused"}
        return standing and (self.state == "paused" or self.wait[0] not in BY_ITSELF)

    @property
    def stuck(self) -> bool:
        return self.state == "waiting" and self.wait[0] == STUCK

    @property
    def failed(self) -> Step | None:
        """The last step that did not succeed."""
        wrong = [s for s in self.steps if s.state in {"failed", "timed_out", "interrupted"}]
        return wrong[-1] if wrong else None


class Output(Protocol):
    """Where the output of a step is read."""

    def output(self, step: Step, offset: int) -> bytes:
        """Some bytes from there on, of this attempt; none: there are no more now."""


@dataclass(slots=True)
class _Told:
    """What was told of an attempt."""

    step: Step
    shown: Sgr
    offset: int = 0
    held: bytes = b""  # the beginning of a line, while others write too
    over: bool = False


@dataclass(slots=True)
class Story:
    """Tells what is new at each look. `outputs`: also what the steps write; `aside`: not as the result."""

    console: Console
    outputs: bool = True
    aside: bool = False
    _told: dict[tuple[str, str], _Told] = field(default_factory=dict)
    _last: tuple[str, str] | None = None  # whose output came last
    _fresh: bool = True  # the cursor is at the start of a line
    _waits: str = ""

    def go_on(self, look: Look, source: Output) -> None:
        """Tell what is new, up to this look."""
        several = sum(step.state == "running" for step in look.steps) > 1
        for step in look.steps:
            if step.attempt:
                self._step(step, source, several=several)
        self._waiting(look)

    def end(self, look: Look) -> None:
        """The last line: how it ended, or that it goes on."""
        name = f"#{look.number} {look.title} in {look.environment}"
        tone = "ok" if look.state == "succeeded" else "bad"
        word = look.state.replace("_", " ")
        if look.over:
            self._line(f"{name}: {word}. {look.outcome}".rstrip(), tone)
        if (step := look.failed) and look.state != "succeeded":
            self._line(f"“{step.title}” ended with {_code(step)}.", "bad")

    def _step(self, step: Step, source: Output, *, several: bool) -> None:
        key = (step.id, step.host)
        told = self._told.get(key)
        if told and told.step.attempt != step.attempt:
            self._finish(key, told, source)
            told = None
        if told is None:
            told = self._told[key] = _Told(step, Sgr(colours=self._coloured))
            self._head(key, step)
        if told.over:
            return
        told.step = step
        over = step.state not in _NOT_BEGUN
        self._read(key, told, source, whole=not several or over)
        if over:
            self._finish(key, told, source)

    @property
    def _coloured(self) -> bool:
        return self.console.shows_colours(aside=self.aside)

    def _read(self, key: tuple[str, str], told: _Told, source: Output, *, whole: bool) -> None:
        """Print what is new of an output; not `whole`: lines that are complete, as others write too."""
        while self.outputs and (data := source.output(told.step, told.offset)):
            told.offset += len(data)
            data = told.held + data
            cut = len(data) if whole or len(data) > _LONGEST else data.rfind(b"\n") + 1
            told.held = data[cut:]
            self._print(key, told.step, told.shown.feed(data[:cut]))
        if whole and told.held:
            self._print(key, told.step, told.shown.feed(told.held))
            told.held = b""

    def _finish(self, key: tuple[str, str], told: _Told, source: Output) -> None:
        self._read(key, told, source, whole=True)
        if rest := told.shown.end():
            self.console.write(rest, aside=self.aside)
        told.over = True
        step = told.step
        mark, tone = _STEP_TONES.get(step.state, ("✗", "bad"))
        how = "" if step.state == "succeeded" else f": {_code(step)}"
        self._line(f"{mark} {_named(step)}{how}", tone)

    def _print(self, key: tuple[str, str], step: Step, shown: bytes) -> None:
        if not shown:
            return
        if self._last != key:
            self._head(key, step)
        self.console.write(shown, aside=self.aside)
        self._fresh = shown.endswith(b"\n")

    def _head(self, key: tuple[str, str], step: Step) -> None:
        again = f", attempt {step.attempt}" if step.attempt > 1 else ""
        self._line(f"▶ {_named(step)}{again}", "strong")
        self._last = key

    def _waiting(self, look: Look) -> None:
        code, text = look.wait
        waits = "\n".join(_waits(look)) if text and not look.over else ""
        if waits and waits != self._waits:
            self._line(waits, "bad" if code == STUCK else "wait")
        self._waits = waits

    def _line(self, text: str, tone: str) -> None:
        if not self._fresh:
            self.console.tell("")
            self._fresh = True
        self.console.tell(self.console.painted(visible(text), tone))
        self._last = None


def _named(step: Step) -> str:
    return f"{step.title} ({step.host})" if step.host else step.title


def _code(step: Step) -> str:
    word = step.state.replace("_", " ")
    return word if step.exit_code is None else f"{word}, exit code {step.exit_code}"


def _waits(look: Look) -> Sequence[str]:
    lines = [f"… It waits: {look.wait[1]}"]
    for gate in look.gates:
        lines += [f"  {gate.title}: {group}" for group in gate.groups]
    return lines


def summary(look: Look) -> dict[str, object]:
    """How it stands, for programs: the fields of the API's execution that a script asks for."""
    code, text = look.wait
    return {
        "id": look.id,
        "number": look.number,
        "url": look.url,
        "environment": look.environment,
        "state": look.state,
        "outcome": look.outcome,
        "waiting_for": {"code": code, "text": text} if code and not look.over else None,
        "approvals": [gate.id for gate in look.gates],
        "steps": [
            {
                "id": step.id,
                "title": step.title,
                "host": step.host,
                "state": step.state,
                "attempt": step.attempt,
                "exit_code": step.exit_code,
            }
            for step in look.steps
        ],
    }
