"""The window of a start: how its environment stands, and whether the work and its rollback fit."""

from dataclasses import dataclass

from cvdops.environments import calendar
from cvdops.environments.schedule import State
from cvdops.executions.estimate import Estimate
from cvdops.executions.launch import Preview

_GOES_BY = frozenset({"window", "freeze"})


@dataclass(frozen=True, slots=True)
class Timing:
    state: State
    estimate: Estimate | None  # of what windows bind
    late: bool  # it would not be done and leave time to be rolled back before the window closes
    may_wait: bool  # the next window is all that it waits for
    closed: bool  # the window is all that is in the way, whether there is a next one or not


def timing(preview: Preview, found: Estimate) -> Timing | None:
    """None where there are neither windows nor freezes."""
    state = calendar.standing(preview.environment.slug)
    if not state.bound and state.open and state.until is None:
        return None
    codes = {reason.code for reason in preview.decision.reasons}
    closed = bool(codes) and codes <= _GOES_BY
    may_wait = closed and state.opening is not None
    if not preview.draft.changes:
        return Timing(state, None, late=False, may_wait=may_wait, closed=closed)
    start = state.opening.start if state.opening else calendar.now()
    closes = state.opening.end if state.opening else state.until
    late = closes is not None and found.late(start, closes)
    return Timing(state, found, late, may_wait, closed)
