"""How long what is left of an execution may take, from what the same steps took before. Pure.

Nothing is guessed: where too few runs tell, it is unknown. The time that people take is not counted.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

FEWEST = 3  # runs that tell how long it may take
TELLING = 5  # runs of a step that tell what is unusual
LOW, HIGH, UNUSUAL = 0.1, 0.9, 0.95
GRACE = 1.0  # seconds: pages count in whole ones
TEN, MINUTE, HOUR = 10, 60, 3600

Run = Mapping[str, float]  # by step: the seconds that it took; none for one that says nothing


@dataclass(frozen=True, slots=True)
class Left:
    """A range of seconds, and how many past runs it comes from."""

    low: float
    high: float
    runs: int

    def __str__(self) -> str:
        runs = f"{self.runs} run{'' if self.runs == 1 else 's'}"
        return f"{between(self.low, self.high)} left, from {runs}"


@dataclass(frozen=True, slots=True)
class Slow:
    """A step that takes longer than 95 % of its past runs did."""

    usual: float  # seconds within which 95 % were done
    runs: int

    def __str__(self) -> str:
        return f"Longer than usual: {said(self.usual)} at most in 95 % of {self.runs} runs"


def left(runs: Iterable[Run], pending: Iterable[str], running: Mapping[str, float]) -> Left | None:
    """How long these steps may take: the pending ones, and those that have run for so many seconds.

    Told by the past runs that had all of them, always by the same ones; of a running step that took longer
    than in one of them, nothing is left by that one. None: too few of them, nothing is left, or a step runs
    longer than it ever did.
    """
    ahead = {**dict.fromkeys(pending, 0.0), **running}
    if not ahead:
        return None
    alike = [run for run in runs if all(step in run for step in ahead)]
    ever = any(all(run[step] >= spent for step, spent in running.items()) for run in alike)
    if len(alike) < FEWEST or not ever:
        return None
    rest = sorted(sum(max(run[s] - spent, 0.0) for s, spent in ahead.items()) for run in alike)
    return Left(quantile(rest, LOW), quantile(rest, HIGH), len(rest))


def usual(runs: Iterable[Run], step: str) -> float | None:
    """The seconds within which 95 % of its past runs were done; None: too few tell."""
    took = _took(runs, step)
    return quantile(took, UNUSUAL) if len(took) >= TELLING else None


def slow(runs: Sequence[Run], step: str, spent: float) -> Slow | None:
    """Whether a step that has run for so many seconds takes unusually long; None if not, or if unknown."""
    longest = usual(runs, step)
    if longest is None or spent <= longest + GRACE:
        return None
    return Slow(longest, len(_took(runs, step)))


def _took(runs: Iterable[Run], step: str) -> list[float]:
    return sorted(run[step] for run in runs if step in run)


def quantile(ordered: Sequence[float], share: float) -> float:
    """The least value that this share of them do not exceed (nearest rank). There is at least one."""
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def between(low: float, high: float) -> str:
    """A range in words, the lower end rounded down and the upper one up: “4–9 min”, “20–50 s”."""
    if high >= 2 * HOUR:
        return _pair(said(low // MINUTE * MINUTE), said(high))
    begin, tens = int(low // MINUTE), int(low // TEN) * TEN
    if high < MINUTE:
        end = max(math.ceil(high / TEN), 1) * TEN
        return _pair(f"{tens}" if tens else "up to", f"{end} s")
    end = math.ceil(high / MINUTE)
    if begin:
        return _pair(f"{begin}", f"{end} min")
    return _pair(f"{tens} s" if tens else "up to", f"{end} min")


def _pair(low: str, high: str) -> str:
    """Two ends as one range; one alone where they are the same."""
    if low == "up to":
        return f"{low} {high}"
    return high if high.split(maxsplit=1)[0] == low or high == low else f"{low}–{high}"


def said(seconds: float) -> str:
    """A duration of which the exact second does not matter: “42 s”, “6 min”, “2 h 5 min”."""
    if seconds < MINUTE:
        return f"{math.ceil(seconds)} s"
    if seconds < HOUR:
        return f"{math.ceil(seconds / MINUTE)} min"
    minutes = math.ceil(seconds / MINUTE)
    return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")
