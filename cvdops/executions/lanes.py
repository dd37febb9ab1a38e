"""A step on its hosts, all at the same time, each in the way of its kind: at most sixteen threads."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from django.db import connection, transaction

from cvdops.executions import attempts, context, requests
from cvdops.executions.hints import announce
from cvdops.executions.leases import Leave
from cvdops.executions.models import StepRun
from cvdops.executions.plan import ON_HOSTS
from cvdops.executions.run import Run
from cvdops.executions.states import STEP_MOVES, StepEvent, StepState
from cvdops.executions.transitions import Superseded
from cvdops.spec.conditions import ConditionError, evaluate
from cvdops.spec.document import Kind, Step

AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Way:
    """How steps of a kind are seen to their end, and taken up when a worker left them."""

    carry_out: Callable[[Run, int], None]
    recover: Callable[[Run, int], None]


_ON_A_HOST = Way(attempts.carry_out, attempts.recover)
_WAYS: Mapping[Kind, Way] = {
    **dict.fromkeys(ON_HOSTS, _ON_A_HOST),
    Kind.HTTP: Way(requests.carry_out, requests.recover),
}


def carry_out(run: Run, indexes: Sequence[int]) -> None:
    """See these step runs to their end. Raises Superseded, Leave, DatabaseError."""
    if len(indexes) == 1:
        _lane(run, indexes[0])
        return
    with ThreadPoolExecutor(min(len(indexes), AT_ONCE), "lane") as pool:
        errors = [error for error in pool.map(lambda i: _guarded(run, i), indexes) if error]
    if errors:
        # A lost lease weighs more than a process that goes down.
        raise min(errors, key=lambda error: isinstance(error, Leave))


def _guarded(run: Run, index: int) -> Exception | None:
    """One lane in its own thread. Whatever ends it early ends the others too: nobody is left unwatched."""
    try:
        _lane(run, index)
    except Leave as leave:
        return leave
    except Exception as error:  # it is raised again in the thread of the execution
        run.hold.lose()
        return error
    finally:
        connection.close()
    return None


def _lane(run: Run, index: int) -> None:
    step, definition = run.steps[index], run.definitions[index]
    if not run.hold.valid:
        raise Superseded
    way = _WAYS[definition.kind]
    if step.state == StepState.RUNNING:
        way.recover(run, index)
    elif applies(run, step, definition):
        way.carry_out(run, index)


def applies(run: Run, step: StepRun, definition: Step) -> bool:
    """Whether the step's `when` is true; if not, the step is skipped with the reason."""
    condition = definition.attributes.when
    if not condition:
        return True
    try:
        if evaluate(
            condition, context.variables(run.execution, step.host or run.plan.default_host)
        ):
            return True
        event, note = StepEvent.OMIT, f"Skipped: “{condition}” is not true."
    except ConditionError as error:
        event, note = StepEvent.FAIL, f"Its condition “{condition}” cannot be decided: {error}"
    with transaction.atomic():
        announce(run.id, run.hand.step(step.pk, event, note=note))
    step.state = STEP_MOVES[event].destination
    return False
