"""The states of executions and steps, and the only moves between them. Pure data.

An event names a move: from which states it is allowed, and where it leads. Buttons ask `possible`,
`transitions` writes; nothing else changes a state.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class ExecutionState(StrEnum):
    PENDING = "pending"
    QUEUED = "queued"  # ready for a worker
    RUNNING = "running"
    WAITING = "waiting"  # for a decision, a person, or a time; no worker holds it
    PAUSED = "paused"
    ROLLING_BACK = "rolling_back"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    ROLLED_BACK = "rolled_back"


class StepState(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    SKIPPED = "skipped"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class Phase(StrEnum):
    FORWARD = "forward"
    ROLLBACK = "rollback"


CHILD = "child"  # the code of what it waits for: an execution that one of its steps started


class Intent(StrEnum):
    """What a person asked of an execution that a worker holds; the worker carries it out."""

    NONE = ""
    PAUSE = "pause"
    CANCEL = "cancel"
    GIVE_UP = "give_up"


ENDING = frozenset(
    {Intent.CANCEL, Intent.GIVE_UP}
)  # what runs is stopped, and nothing begins any more


E = ExecutionState
S = StepState

TERMINAL = frozenset({E.SUCCEEDED, E.FAILED, E.REJECTED, E.EXPIRED, E.CANCELLED, E.ROLLED_BACK})
ACTIVE = frozenset(E) - TERMINAL
HELD = frozenset({E.RUNNING, E.ROLLING_BACK})  # a worker has it, or should have
UNDOABLE = frozenset({E.FAILED, E.REJECTED, E.EXPIRED, E.CANCELLED})

STEP_DONE = frozenset({S.SUCCEEDED, S.SKIPPED})
STEP_STUCK = frozenset({S.FAILED, S.TIMED_OUT, S.INTERRUPTED})  # a person may retry, skip, settle
STEP_OVER = frozenset(S) - {S.PENDING, S.RUNNING, S.WAITING}


class ExecutionEvent(StrEnum):
    CLAIM = "claim"
    CLAIM_ROLLBACK = "claim_rollback"
    WAIT = "wait"
    READY = "ready"
    PAUSE = "pause"
    RESUME = "resume"
    CALL = "call"  # of a worker, to look at its hosts before it is cancelled
    SUCCEED = "succeed"
    FAIL = "fail"
    REJECT = "reject"
    EXPIRE = "expire"
    CANCEL = "cancel"
    ROLL_BACK = "roll_back"
    FINISH_ROLLBACK = "finish_rollback"
    RESUME_FROM = "resume_from"  # a person chose where it goes on
    RETURN = "return"  # a worker gives it back unfinished, for another one
    HOLD = "hold"  # the database was restored: whatever it did since is not known


class StepEvent(StrEnum):
    BEGIN = "begin"
    OPEN = "open"
    SUCCEED = "succeed"
    FAIL = "fail"
    TIME_OUT = "time_out"
    INTERRUPT = "interrupt"
    OMIT = "omit"  # its `when` is false
    TRY_AGAIN = "try_again"  # by `retry=`, or because it is idempotent
    RETRY = "retry"
    SKIP = "skip"
    SETTLE = "settle"
    RESET = "reset"  # it runs again: a person resumes before it, or its approval was restored
    LEAVE_OUT = "leave_out"  # it does not run, because a person resumes after it
    REJECT = "reject"
    EXPIRE = "expire"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Move:
    """A transition: allowed sources and the destination."""

    sources: frozenset[str]
    destination: str


def _move(*sources: str, to: str) -> Move:
    return Move(frozenset(sources), to)


EXECUTION_MOVES: Mapping[ExecutionEvent, Move] = {
    ExecutionEvent.CLAIM: _move(E.QUEUED, E.WAITING, E.RUNNING, to=E.RUNNING),
    ExecutionEvent.CLAIM_ROLLBACK: _move(
        E.QUEUED, E.WAITING, E.RUNNING, E.ROLLING_BACK, to=E.ROLLING_BACK
    ),
    ExecutionEvent.WAIT: _move(E.RUNNING, E.ROLLING_BACK, to=E.WAITING),
    ExecutionEvent.READY: _move(E.PENDING, E.WAITING, to=E.QUEUED),
    ExecutionEvent.RETURN: _move(E.RUNNING, E.ROLLING_BACK, to=E.QUEUED),
    ExecutionEvent.PAUSE: _move(E.QUEUED, E.RUNNING, E.ROLLING_BACK, to=E.PAUSED),
    ExecutionEvent.HOLD: _move(*ACTIVE, to=E.PAUSED),
    ExecutionEvent.RESUME: _move(E.PAUSED, to=E.QUEUED),
    ExecutionEvent.CALL: _move(E.PAUSED, to=E.QUEUED),
    ExecutionEvent.SUCCEED: _move(E.RUNNING, to=E.SUCCEEDED),
    ExecutionEvent.FAIL: _move(E.RUNNING, E.ROLLING_BACK, E.WAITING, to=E.FAILED),
    ExecutionEvent.REJECT: _move(E.RUNNING, E.ROLLING_BACK, E.WAITING, to=E.REJECTED),
    ExecutionEvent.EXPIRE: _move(E.RUNNING, E.ROLLING_BACK, E.WAITING, to=E.EXPIRED),
    ExecutionEvent.CANCEL: _move(
        E.PENDING, E.QUEUED, E.RUNNING, E.ROLLING_BACK, E.WAITING, E.PAUSED, to=E.CANCELLED
    ),
    ExecutionEvent.ROLL_BACK: _move(E.WAITING, E.PAUSED, *UNDOABLE, E.ROLLED_BACK, to=E.QUEUED),
    ExecutionEvent.RESUME_FROM: _move(
        E.WAITING, E.PAUSED, E.FAILED, E.CANCELLED, E.EXPIRED, to=E.QUEUED
    ),
    ExecutionEvent.FINISH_ROLLBACK: _move(E.ROLLING_BACK, to=E.ROLLED_BACK),
}

STEP_MOVES: Mapping[StepEvent, Move] = {
    StepEvent.BEGIN: _move(S.PENDING, to=S.RUNNING),
    StepEvent.OPEN: _move(S.PENDING, to=S.WAITING),
    # from interrupted: it was asked to stop, and only now it is known that it had ended before
    StepEvent.SUCCEED: _move(S.RUNNING, S.WAITING, S.INTERRUPTED, to=S.SUCCEEDED),
    StepEvent.FAIL: _move(S.PENDING, S.RUNNING, S.WAITING, S.INTERRUPTED, to=S.FAILED),
    # from interrupted, as below: only now it is known that it stopped
    StepEvent.TIME_OUT: _move(S.RUNNING, S.INTERRUPTED, to=S.TIMED_OUT),
    StepEvent.INTERRUPT: _move(S.RUNNING, to=S.INTERRUPTED),
    StepEvent.OMIT: _move(S.PENDING, to=S.SKIPPED),
    StepEvent.TRY_AGAIN: _move(S.RUNNING, S.INTERRUPTED, to=S.PENDING),
    StepEvent.RETRY: _move(*STEP_STUCK, S.CANCELLED, to=S.PENDING),
    StepEvent.SKIP: _move(*STEP_STUCK, to=S.SKIPPED),
    StepEvent.SETTLE: _move(*STEP_STUCK, to=S.SUCCEEDED),
    StepEvent.RESET: _move(
        *STEP_DONE, *STEP_STUCK, S.CANCELLED, S.EXPIRED, S.WAITING, to=S.PENDING
    ),
    StepEvent.LEAVE_OUT: _move(S.PENDING, *STEP_STUCK, S.CANCELLED, to=S.SKIPPED),
    StepEvent.REJECT: _move(S.WAITING, to=S.REJECTED),
    StepEvent.EXPIRE: _move(S.WAITING, to=S.EXPIRED),
    # from interrupted: it was asked to stop, and only now it is known that it did
    StepEvent.CANCEL: _move(S.RUNNING, S.WAITING, S.INTERRUPTED, to=S.CANCELLED),
}


def possible(state: str, event: ExecutionEvent | StepEvent) -> bool:
    """Whether the event may happen in this state."""
    move = EXECUTION_MOVES[event] if isinstance(event, ExecutionEvent) else STEP_MOVES[event]
    return state in move.sources


@dataclass(frozen=True, slots=True)
class Look:
    """How a state is shown: word, icon and tone (each of the three tells it alone)."""

    label: str
    icon: str
    tone: str  # ok | run | wait | bad | none


EXECUTION_LOOKS: Mapping[str, Look] = {
    E.PENDING: Look("Pending", "circle", "none"),
    E.QUEUED: Look("Queued", "clock", "run"),
    E.RUNNING: Look("Running", "play", "run"),
    E.WAITING: Look("Waiting", "hand", "wait"),
    E.PAUSED: Look("Paused", "pause", "wait"),
    E.ROLLING_BACK: Look("Rolling back", "undo-2", "wait"),
    E.SUCCEEDED: Look("Succeeded", "check", "ok"),
    E.FAILED: Look("Failed", "x", "bad"),
    E.REJECTED: Look("Rejected", "ban", "bad"),
    E.EXPIRED: Look("Expired", "timer-off", "bad"),
    E.CANCELLED: Look("Cancelled", "square", "none"),
    E.ROLLED_BACK: Look("Rolled back", "undo-2", "ok"),
}

STEP_LOOKS: Mapping[str, Look] = {
    S.PENDING: Look("Not started", "circle", "none"),
    S.RUNNING: Look("Running", "play", "run"),
    S.WAITING: Look("Waiting", "hand", "wait"),
    S.SUCCEEDED: Look("Succeeded", "check", "ok"),
    S.FAILED: Look("Failed", "x", "bad"),
    S.TIMED_OUT: Look("Timed out", "timer-off", "bad"),
    S.SKIPPED: Look("Skipped", "skip-forward", "none"),
    S.REJECTED: Look("Rejected", "ban", "bad"),
    S.EXPIRED: Look("Expired", "timer-off", "bad"),
    S.CANCELLED: Look("Cancelled", "square", "none"),
    S.INTERRUPTED: Look("Interrupted", "unplug", "bad"),
}

_ENDS: Mapping[str, str] = {
    S.SUCCEEDED: "has succeeded",
    S.FAILED: "has failed",
    S.TIMED_OUT: "has timed out",
    S.EXPIRED: "has expired",
    S.SKIPPED: "was skipped",
    S.REJECTED: "was rejected",
    S.CANCELLED: "was cancelled",
    S.INTERRUPTED: "was interrupted",
    E.ROLLED_BACK: "was rolled back",
}


def said(state: str) -> str:
    """A state of an execution or a step as the end of a sentence: “is waiting”, “has failed”."""
    return _ENDS.get(state, f"is {state.replace('_', ' ')}")


# A rollback that ended and left something in place.
IN_PART = Look("Rolled back in part", "undo-2", "wait")

# A list shows it of one that a worker should hold, and none has renewed its lease.
UNHEARD = Look("Not heard of", "unplug", "wait")

# A pending step whose next try has its time.
TRIED_AGAIN = Look("Tried again soon", "timer", "wait")

# A test of a host, and a step of it.
CHECK_LOOKS: Mapping[str, Look] = {
    "asked": Look("Waits for a worker", "clock", "run"),
    "begun": Look("Being tested", "play", "run"),
    "ok": Look("Works", "check", "ok"),
    "warning": Look("Works, with doubts", "triangle-alert", "wait"),
    "failed": Look("Does not work", "x", "bad"),
}
CHECK_STEP_LOOKS: Mapping[str, Look] = {
    "ok": Look("Good", "check", "ok"),
    "warning": Look("Doubtful", "triangle-alert", "wait"),
    "failed": Look("Failed", "x", "bad"),
    "skipped": Look("Not tried", "circle", "none"),
    "begun": Look("Being tried", "play", "run"),
    "pending": Look("To come", "circle", "none"),
}
