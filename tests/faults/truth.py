"""The audit of truth: what the portal says about executions, against what really happened.

`truth` is called at the end of every fault test. Each of the questions below yields the lies that it finds.
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from django.db import connection

from cvdops.access.policy import Action
from cvdops.audit import chain
from cvdops.audit.models import AuditEntry
from cvdops.executions import output
from cvdops.executions.models import Execution, Lock, StepAttempt, StepRun
from cvdops.executions.states import (
    EXECUTION_MOVES,
    HELD,
    STEP_MOVES,
    STEP_STUCK,
    ExecutionEvent,
    ExecutionState,
    StepEvent,
    StepState,
)
from cvdops.runners.job import MARKER
from tests.faults.effects import Effects

S = StepState
UNWATCHED = 20  # seconds for which something may be under way that nobody watches
AGAIN = frozenset({"step.retry", "step.reset", "step.try_again"})
_MARKER = re.compile(rb"(?:^|\0)" + MARKER.encode() + rb"=([-0-9a-f]{36})\0")
_ATTEMPT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def truth(effects: Effects, executions: Iterable[Execution], *spools: Path) -> None:
    """Raises AssertionError with every lie. `spools`: those that only this test has used, on all hosts."""
    rows = list(Execution.objects.filter(pk__in=[one.pk for one in executions]))
    counted, processes = effects.counted(), processes_of_attempts()
    lies = [*_of_connections(), *_of_spools(spools), *_of_chain()]
    for execution in rows:
        told = [*_of_lease(execution), *history(execution), *_of_audit(execution)]
        for step in execution.steps.all():
            for attempt in step.attempts.all():
                told += _of_attempt(step, attempt, counted, processes)
                told += _of_output(execution, step, attempt, effects)
            told += _of_step(execution, step, counted, effects)
        lies += [f"execution {execution} ({execution.state}): {lie}" for lie in told]
    attempts = {str(pk) for pk in StepAttempt.objects.values_list("pk", flat=True)}
    lies += [f"attempt {one} ran and nobody knows it" for one, _ in counted if one not in attempts]
    assert not lies, "\n".join(["not truthful:", *lies])


def processes_of_attempts() -> dict[str, list[int]]:
    """Attempt → the processes of this machine that carry its marker."""
    found = defaultdict(list)
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if match := _MARKER.search((folder / "environ").read_bytes()):
                found[match[1].decode()].append(int(folder.name))
    return found


def _of_attempt(
    step: StepRun,
    attempt: StepAttempt,
    counted: Counter[tuple[str, str]],
    processes: dict[str, list[int]],
) -> Iterator[str]:
    name = f"{step.key} attempt {attempt.number} ({attempt.state})"
    begins, ends = (counted[str(attempt.pk), word] for word in ("begin", "end"))
    if max(begins, ends) > 1:
        yield f"{name} began {begins} times and ended {ends} times"
    if attempt.state == S.SUCCEEDED and attempt.exit_code != 0:
        yield f"{name} has exit code {attempt.exit_code}"
    if attempt.state == S.FAILED and attempt.exit_code == 0:
        yield f"{name} has exit code 0"
    left = processes.get(str(attempt.pk), [])
    if left and attempt.state != S.RUNNING and not _admits(step, left):
        yield f"{name} has left processes: {left}"


def _admits(step: StepRun, left: list[int]) -> bool:
    return step.unconfirmed or all(str(pid) in step.note for pid in left)


def _of_step(
    execution: Execution, step: StepRun, counted: Counter[tuple[str, str]], effects: Effects
) -> Iterator[str]:
    attempts = list(step.attempts.all())
    begun = sum(counted[str(one.pk), "begin"] for one in attempts)
    events = Counter(step.execution.events.filter(step=step).values_list("kind", flat=True))
    if begun > 1 + sum(events[kind] for kind in AGAIN):
        yield f"{step.key} began {begun} times, and nothing asked for that"
    if step.key in effects.lines and step.state == S.SUCCEEDED and not events["step.settle"]:
        last = str(attempts[-1].pk)
        if (counted[last, "begin"], counted[last, "end"]) != (1, 1):
            yield f"{step.key} succeeded, and it did not begin and end once"
    if step.state == S.RUNNING and not (attempts and attempts[-1].state == S.RUNNING):
        yield f"{step.key} is running, and none of its attempts is"
    if step.state != S.RUNNING and any(one.state == S.RUNNING for one in attempts):
        yield f"{step.key} is {step.state}, and one of its attempts is running"
    if step.state == S.RUNNING and execution.state not in {*HELD, ExecutionState.QUEUED}:
        yield f"{step.key} is running, and nobody will ever watch it"
    if step.state == S.WAITING and execution.is_over:
        yield f"{step.key} waits for somebody, and nobody will ever be asked"
    stuck = execution.state == ExecutionState.WAITING and step.state in STEP_STUCK
    if stuck and not (step.note or step.exit_code):
        yield f"{step.key} is {step.state}, and the page does not say why"


def _of_output(
    execution: Execution, step: StepRun, attempt: StepAttempt, effects: Effects
) -> Iterator[str]:
    if step.key not in effects.lines:
        return
    name = f"{step.key} attempt {attempt.number} ({attempt.state})"
    expected = effects.output(step.key, int(execution.variables["RUN"]))
    stored = output.read(attempt.pk)
    whole = attempt.state == S.SUCCEEDED
    if whole and stored != expected:
        yield f"{name} wrote {len(expected)} bytes, and {len(stored)} other ones are stored"
    if whole and attempt.output_digest != hashlib.sha256(expected).hexdigest():
        yield f"{name} has the digest of another output"
    # one that failed says more at its end: what the shell complained of
    if attempt.state in {S.RUNNING, S.INTERRUPTED, S.CANCELLED} and not expected.startswith(stored):
        yield f"{name} has stored what it never wrote"


def _of_lease(execution: Execution) -> Iterator[str]:
    """Nothing is under way without a worker; who is at rest has no lease and no lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT extract(epoch FROM clock_timestamp() - coalesce(lease_until, state_since))
              FROM executions_execution WHERE id = %s
            """,
            [execution.pk],
        )
        silent = float(cursor.fetchone()[0])
    under_way = execution.state in {*HELD, ExecutionState.QUEUED}
    if under_way and silent > UNWATCHED:
        yield f"for {silent:.0f} s nobody has been at it"
    if not under_way and (execution.lease_until is not None or execution.lease_owner):
        yield f"it is held by {execution.lease_owner or 'somebody'}"
    if execution.is_over and Lock.objects.filter(execution=execution).exists():
        yield "it is over and holds a lock"


def history(execution: Execution) -> Iterator[str]:
    """Its events, played from the beginning, lead to just the states that it and its steps have; else
    what is wrong."""
    state: str = ExecutionState.QUEUED
    before = ""
    steps: dict[object, str] = defaultdict(lambda: S.PENDING)
    begun: Counter[object] = Counter()
    for event in execution.events.order_by("seq"):
        subject, _, name = event.kind.partition(".")
        if subject == "execution" and name in set(ExecutionEvent):
            move = EXECUTION_MOVES[ExecutionEvent(name)]
            # what stood still is made ready by the one who resumes it: two events of one act
            told = (before, name) == (ExecutionEvent.READY, ExecutionEvent.RESUME)
            before = name
            if state not in move.sources and not name.startswith("claim") and not told:
                yield f"event {event.seq}: {name} from {state}"
            state = move.destination
        elif subject == "step" and name in set(StepEvent):
            move = STEP_MOVES[StepEvent(name)]
            if steps[event.step_id] not in move.sources:
                yield f"event {event.seq}: {name} of a step that is {steps[event.step_id]}"
            steps[event.step_id] = move.destination
            begun[event.step_id] += name == StepEvent.BEGIN
    if state != execution.state:
        yield f"its events lead to {state}"
    for step in execution.steps.all():
        if steps[step.pk] != step.state:
            yield f"{step.key} is {step.state}, its events lead to {steps[step.pk]}"
        if begun[step.pk] != step.attempts.count():
            yield f"{step.key} has {step.attempts.count()} attempts and {begun[step.pk]} beginnings"


def _of_audit(execution: Execution) -> Iterator[str]:
    """The audit log has its start with what was to run, and whatever people did to it."""
    entries = AuditEntry.objects.filter(subject_id=str(execution.pk), allowed=True)
    starts = entries.filter(action=Action.START, data__plan_digest=execution.plan_digest).count()
    if starts != 1:
        yield f"the audit log has its start {starts} times"
    for kind, verb in (("step.retry", "retry"), ("step.skip", "skip"), ("step.settle", "settle")):
        done, logged = (
            execution.events.filter(kind=kind).count(),
            entries.filter(data__verb=verb).count(),
        )
        if done != logged:
            yield f"{verb} happened {done} times and is in the audit log {logged} times"


def _of_chain() -> Iterator[str]:
    """Every entry of the audit log is a link of its chain."""
    if problem := chain.verify({}).problem:
        yield problem


def _of_connections() -> Iterator[str]:
    """No connection is left inside a transaction, waiting for another or for nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT pid, state, query FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()
               AND backend_type = 'client backend'
               AND xact_start < clock_timestamp() - interval '5 seconds'
            """
        )
        for pid, state, query in cursor.fetchall():
            yield f"database connection {pid} is {state} for long: {query[:80]}"


def _of_spools(spools: Iterable[Path]) -> Iterator[str]:
    """Each claim on a target belongs to an attempt; what is over has left no files there, or they go
    when a worker looks for them the next time."""
    known = {str(one.pk): one for one in StepAttempt.objects.select_related("step")}
    for folder in (one for spool in spools if spool.exists() for one in spool.iterdir()):
        if not _ATTEMPT.fullmatch(folder.name):
            continue
        attempt = known.get(folder.name)
        if attempt is None:
            yield f"job directory {folder} of an attempt that nobody knows"
        elif attempt.state == S.SUCCEEDED and _left(folder, attempt):
            yield f"job directory {folder} of a step that succeeded has its files still"


def _left(folder: Path, attempt: StepAttempt) -> bool:
    """Whether there is something beside the claim, which stays for ever, and no worker comes to remove it."""
    return attempt.clean_at is None and bool(_files(folder))


def _files(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name != "pid"]
