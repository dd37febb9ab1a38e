"""The rules that need the history of a version: reviewed, executed in staging, promises kept."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from cvdops.spec.codes import diagnostic
from cvdops.spec.document import Diagnostic
from cvdops.spec.metadata import INTERVALS

_INTERVALS = {
    name: timedelta(days=days) for name, days in zip(INTERVALS, (7, 31, 92, 184, 366), strict=True)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one version of a runbook. People by whatever name makes them the same person."""

    author: str = ""
    reviewed_by: Collection[str] = ()
    executed_in: str = "staging"  # the environment where it counts
    executed_at: date | None = None  # the last success there, of this version
    promises_kept: int = 0  # samples compared in its latest execution
    promises_broken: int = 0


def where_tested(metadata: Mapping[str, object]) -> str:
    """The environment in which the document is to be tested: `tested: {environment: …}`, else staging."""
    tested = metadata.get("tested")
    return str(tested.get("environment") or "staging") if isinstance(tested, dict) else "staging"


def history(metadata: Mapping[str, object], facts: Facts, today: date) -> tuple[Diagnostic, ...]:
    """What the history of this version says against it."""
    return (*_unreviewed(facts), *_untested(metadata, facts, today), *_untrue(facts))


def _unreviewed(facts: Facts) -> Iterator[Diagnostic]:
    if not set(facts.reviewed_by) - {facts.author}:
        yield diagnostic(
            "RB510",
            1,
            "Nobody but its author has reviewed this version.",
            "Have it reviewed: a pull request with an approval, or the review on the runbook's page.",
        )


def _untested(metadata: Mapping[str, object], facts: Facts, today: date) -> Iterator[Diagnostic]:
    tested = metadata.get("tested")
    every = str(tested.get("every", "")) if isinstance(tested, dict) else ""
    interval = _INTERVALS.get(every)
    hint = f"Execute it in {facts.executed_in}."
    if facts.executed_at is None:
        message = f"This version was never executed successfully in {facts.executed_in}."
        yield diagnostic("RB511", 1, message, hint)
    elif interval and today - facts.executed_at > interval:
        message = (
            f"It was last executed successfully in {facts.executed_in} on {facts.executed_at};"
            f" it is to be tested every {every}."
        )
        yield diagnostic("RB511", 1, message, hint)


def _untrue(facts: Facts) -> Iterator[Diagnostic]:
    if facts.promises_broken:
        total = facts.promises_kept + facts.promises_broken
        yield diagnostic(
            "RB512",
            1,
            f"In its latest execution {facts.promises_broken} of {total} expected outputs did not come.",
            "Correct the samples, or what they are samples of: the page of the execution shows both.",
        )
