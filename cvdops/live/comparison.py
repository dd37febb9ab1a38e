"""Two executions side by side: facts, variables, steps, and the first line in which an output differs.

Lines are compared without what is another one each time: times, durations, ids, hosts, measures.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from uuid import UUID

from cvdops.accounts.models import User
from cvdops.executions import output
from cvdops.executions.models import Execution, StepAttempt, StepRun
from cvdops.executions.participants import here
from cvdops.executions.queries import matter, planned, steps_by, steps_of
from cvdops.lib.together import ahead
from cvdops.lib.words import uncoloured
from cvdops.live.answers import WITHHELD, is_answer, kept_answers, reads_answers
from cvdops.live.captured import captured
from cvdops.spec.samples import normalised

MOST = 4 << 20  # bytes of each output that are compared
PATIENCE = 2.0  # seconds for all outputs of a page
LOOKED_AT = 2000  # characters of a line in which times and ids are looked for
NOTICED = 0.5  # seconds: a difference of less is chance
LINE = 400  # characters of a line that is shown

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Value:
    """A variable on both sides; None where there is no such variable."""

    name: str
    first: str | None
    second: str | None

    @property
    def variable(self) -> str:
        """Its name without what is said about it."""
        return self.name.partition(" ")[0].rstrip(",")

    @property
    def about(self) -> str:
        """Where it was captured."""
        return self.name.removeprefix(self.variable).lstrip(", ")

    @property
    def both(self) -> tuple[str | None, str | None]:
        return self.first, self.second

    @property
    def differs(self) -> bool:
        return self.first != self.second


@dataclass(frozen=True, slots=True)
class Difference:
    """How two outputs compare, as a sentence; where they differ, the line's number and the lines."""

    text: str
    differs: bool = False
    number: int = 0
    first: str | None = None
    second: str | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """The same step of both; None where one does not have it."""

    first: StepRun | None
    second: StepRun | None
    output: Difference | None

    @property
    def step(self) -> StepRun:
        found = self.first or self.second
        assert found is not None  # noqa: S101 — a pair has at least one
        return found

    @property
    def seconds(self) -> tuple[float | None, float | None]:
        return _seconds(self.first), _seconds(self.second)

    @property
    def both(self) -> tuple[tuple[StepRun | None, float | None], ...]:
        first, second = self.seconds
        return (self.first, first), (self.second, second)

    @property
    def longer(self) -> float:
        """By how many seconds the second one took longer; 0 where that says nothing."""
        first, second = self.seconds
        if first is None or second is None or abs(second - first) < NOTICED:
            return 0.0
        return second - first

    @property
    def differs(self) -> bool:
        if self.first is None or self.second is None:
            return True
        return self.first.state != self.second.state or bool(self.output and self.output.differs)


@dataclass(frozen=True, slots=True)
class Comparison:
    first: Execution
    second: Execution
    variables: tuple[Value, ...]
    pairs: tuple[Pair, ...]

    @property
    def differing(self) -> list[Value]:
        """The variables that differ."""
        return [value for value in self.variables if value.differs]

    @property
    def equal(self) -> list[Value]:
        return [value for value in self.variables if not value.differs]

    @property
    def sides(self) -> tuple[Execution, Execution]:
        return self.first, self.second

    @property
    def changed(self) -> int:
        """How many steps differ in their state or their output."""
        return sum(pair.differs for pair in self.pairs)


def compare(user: User, first: Execution, second: Execution) -> Comparison:
    """Both as this person may see them: what came back to requests is not compared for others."""
    both = first.pk, second.pk
    ahead(*map(here.of, both), *map(steps_by.of, both))
    left, right = _Side(user, first), _Side(user, second)
    names = sorted({*left.variables, *right.variables})
    values = (Value(name, left.variables.get(name), right.variables.get(name)) for name in names)
    outputs = _Outputs(both)
    pairs = (_pair(key, left, right, outputs) for key in _order(left.steps, right.steps))
    return Comparison(first, second, tuple(values), tuple(pairs))


class _Side:
    """What is compared of one execution."""

    def __init__(self, user: User, execution: Execution) -> None:
        self.answers = reads_answers(user, matter(execution))
        self.steps = {(s.phase, s.key, s.host): s for s in steps_of(execution)}
        self.variables = dict(self._variables(execution))

    def _variables(self, execution: Execution) -> Iterator[tuple[str, str]]:
        plan = planned(execution)
        hidden = frozenset() if self.answers else kept_answers(plan)
        for name, value in execution.variables.items():
            yield name, WITHHELD if name in hidden else str(value)
        for one in captured(execution, plan):
            if one.meant:
                label = f"{one.name} on {one.host}" if one.host else one.name
                yield f"{label}, captured", WITHHELD if one.name in hidden else one.value

    def withheld(self, step: StepRun) -> bool:
        return is_answer(step) and not self.answers


def _order(first: Iterable[Key], second: Iterable[Key]) -> list[Key]:
    """The steps of the first one, and after each those that only the second one has there."""
    order = list(first)
    known, at = set(order), 0
    for key in second:
        if key in known:
            at = order.index(key) + 1
        else:
            order.insert(at, key)
            at += 1
    return order


def _pair(key: Key, left: _Side, right: _Side, outputs: "_Outputs") -> Pair:
    first, second = left.steps.get(key), right.steps.get(key)
    if first is None or second is None:
        return Pair(first, second, None)
    if left.withheld(first) or right.withheld(second):
        return Pair(first, second, Difference(WITHHELD))
    return Pair(first, second, outputs.compared(first, second))


class _Outputs:
    """The last output of each step of both executions."""

    def __init__(self, executions: tuple[UUID, UUID]) -> None:
        latest = StepAttempt.objects.filter(step__execution__in=executions)
        latest = latest.order_by("step_id", "-number").distinct("step_id")
        self._attempts = {attempt.step_id: attempt for attempt in latest}
        self._begins = output.begins(attempt.pk for attempt in self._attempts.values())
        self._deadline = time.monotonic() + PATIENCE

    def compared(self, *steps: StepRun) -> Difference | None:
        """Those of the same step on both sides; None where neither wrote anything, or one was not tried."""
        tried = [one for step in steps if (one := self._attempts.get(step.pk))]
        if len(tried) < len(steps) or not any(one.output_size for one in tried):
            return None
        first, second = tried
        if first.output_digest and first.output_digest == second.output_digest:
            return Difference("The output is the same, byte for byte.")
        if any(one.output_size and one.pk not in self._begins for one in tried):
            return Difference("The output of one of them was removed.")
        a, b = (_lines(one.pk, self._begins.get(one.pk, 0)) for one in tried)
        return first_difference(a, b, self._deadline)


def first_difference(first: Iterable[str], second: Iterable[str], deadline: float) -> Difference:
    """The first line in which they differ, counted from 1."""
    for number, (a, b) in enumerate(zip_longest(first, second), start=1):
        if a == b:
            continue
        if time.monotonic() > deadline:
            return Difference(
                f"The output is the same up to line {number}; the rest takes too long."
            )
        if a is None or b is None or _alike(a) != _alike(b):
            shown = [None if line is None else line[:LINE] for line in (a, b)]
            return Difference(f"Line {number} differs.", True, number, *shown)
    return Difference("The output is the same but for times and ids.")


def _alike(line: str) -> tuple[str, str]:
    """What has to be equal; of a line that no person reads only its beginning is looked at so."""
    return normalised(line[:LOOKED_AT]), line[LOOKED_AT:]


def _lines(attempt: UUID, begin: int) -> Iterator[str]:
    rest = b""
    for piece in output.stream(attempt, begin, MOST):
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield _text(line)
    if rest:
        yield _text(rest)


def _text(line: bytes) -> str:
    return uncoloured(line.decode("utf-8", "replace")).rstrip()


def _seconds(step: StepRun | None) -> float | None:
    if step is None or step.started_at is None or step.finished_at is None:
        return None
    return (step.finished_at - step.started_at).total_seconds()
