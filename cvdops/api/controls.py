"""Controlling an execution as a whole. Each answers with the execution as it is then."""

from django.http import HttpRequest
from ninja import Query, Router, Schema

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.api.asking import Asked, Text
from cvdops.api.execution import ExecutionDetail, UndoShape, detail
from cvdops.api.executions import Name, Words
from cvdops.executions import services
from cvdops.executions.queries import get_execution, get_step

router = Router(tags=["executions"])
_ONE = "/executions/{execution_id}"


class Said(Asked):
    comment: Words = ""


class Decided(Said):
    """`seen`: the `situation` in which you decided; empty: whatever it is now."""

    seen: Name = ""


class DownTo(Decided):
    """`down_to`: the step at which the rollback ends; empty: all. `seen`: as of every control."""

    down_to: Name = ""


class GoOn(Asked):
    """From which step it goes on, and why. `seen`: as of every control."""

    step: Name
    comment: Words
    seen: Name = ""


class From(Asked):
    """`step`: down to which; without it all."""

    step: Text = ""


class FromThere(Asked):
    step: Text


# Nothing has to be said: then there need be no body.
_NOTHING, _WHATEVER, _ALL = Said(), Decided(), DownTo()


class RollbackPlan(Schema):
    undone: list[UndoShape]
    left: list[UndoShape]


class FateShape(Schema):
    """`fate`: it is reused, skipped, run, or run again."""

    step: str
    host: str
    fate: str


class GoOnPlan(Schema):
    """`problem`: why it cannot be done, empty if it can. `needs`: which action one has to be allowed."""

    steps: list[FateShape]
    problem: str
    needs: str


@router.post(f"{_ONE}/pause", response=ExecutionDetail, url_name="api-execution-pause")
@requires(Action.CONTROL, "POST")
def pause(request: HttpRequest, execution_id: str, said: Said = _NOTHING) -> ExecutionDetail:
    """Let the running step end, then stop before the next one."""
    services.pause(person(request), execution_id, said.comment)
    return detail(person(request), execution_id)


@router.post(f"{_ONE}/resume", response=ExecutionDetail, url_name="api-execution-resume")
@requires(Action.CONTROL, "POST")
def resume(request: HttpRequest, execution_id: str, said: Decided = _WHATEVER) -> ExecutionDetail:
    """Go on after a pause, or when its window is open again."""
    services.resume(person(request), execution_id, said.comment, said.seen)
    return detail(person(request), execution_id)


@router.post(f"{_ONE}/cancel", response=ExecutionDetail, url_name="api-execution-cancel")
@requires(Action.CONTROL, "POST")
def cancel(request: HttpRequest, execution_id: str, said: Decided = _WHATEVER) -> ExecutionDetail:
    """Stop the running step, start nothing after it. While a worker does so, `intent` is `cancel`.

    With `seen` it is done whatever the steps did since, but not to a rollback that began since.
    """
    services.cancel(person(request), execution_id, said.comment, said.seen)
    return detail(person(request), execution_id)


@router.get(f"{_ONE}/rollback", response=RollbackPlan, url_name="api-execution-rollback")
@requires(Action.READ_EXECUTION)
def rollback_plan(request: HttpRequest, execution_id: str, wanted: Query[From]) -> RollbackPlan:
    """What a rollback would undo now, newest first, and what it would leave. Changes nothing."""
    found = get_execution(person(request), execution_id)
    step = get_step(found, wanted.step) if wanted.step else None
    undone, left = services.undone_by(found, step.key if step else "")
    return RollbackPlan(
        undone=[UndoShape.of(entry) for entry in undone],
        left=[UndoShape.of(entry) for entry in left],
    )


@router.post(f"{_ONE}/rollback", response=ExecutionDetail, url_name="api-execution-rollback")
@requires(Action.CONTROL, "POST")
def rollback(request: HttpRequest, execution_id: str, said: DownTo = _ALL) -> ExecutionDetail:
    """Undo what was done, newest first; with `down_to` only that step and what came after it."""
    services.roll_back(person(request), execution_id, said.comment, said.down_to, said.seen)
    return detail(person(request), execution_id)


@router.post(f"{_ONE}/give-up", response=ExecutionDetail, url_name="api-execution-give-up")
@requires(Action.CONTROL, "POST")
def give_up(request: HttpRequest, execution_id: str, said: Decided = _WHATEVER) -> ExecutionDetail:
    """End one that waits for a decision on a step that did not succeed: it failed.

    While a worker ends first what may still run, `intent` is `give_up`.
    """
    services.give_up(person(request), execution_id, said.comment, said.seen)
    return detail(person(request), execution_id)


@router.get(f"{_ONE}/go-on", response=GoOnPlan, url_name="api-execution-go-on")
@requires(Action.READ_EXECUTION)
def go_on_plan(request: HttpRequest, execution_id: str, wanted: Query[FromThere]) -> GoOnPlan:
    """What would become of each step if it went on from there. Changes nothing."""
    plan = services.plan_resume(person(request), execution_id, wanted.step)
    fates = [FateShape(step=s.key, host=s.host, fate=fate) for s, fate in plan.fates]
    return GoOnPlan(steps=fates, problem=plan.problem, needs=plan.action)


@router.post(f"{_ONE}/go-on", response=ExecutionDetail, url_name="api-execution-go-on")
@requires(Action.CONTROL, "POST")
def go_on(request: HttpRequest, execution_id: str, said: GoOn) -> ExecutionDetail:
    """Go on from another step. To skip one, or to repeat one that was done, is for a Lead."""
    services.resume_from(person(request), execution_id, said.step, said.comment, said.seen)
    return detail(person(request), execution_id)
