"""Controlling an execution as a whole. Each answers with the execution as it is then."""

from django.http import HttpRequest
from ninja import Router

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.api.asking import Asked
from cvdops.api.execution import ExecutionDetail, detail
from cvdops.api.executions import Name, Words
from cvdops.api.steps import the_step
from cvdops.executions import services
from cvdops.executions.queries import get_execution

router = Router(tags=["executions"])
_ONE = "/executions/{execution_id}"


class Said(Asked):
    comment: Words = ""


class DownTo(Said):
    """`down_to`: the step, of a `host` where it runs on several, at which the rollback ends; empty: all."""

    down_to: Name = ""
    host: Name = ""


class GoOn(Asked):
    """From which step it goes on, and why."""

    step: Name
    host: Name = ""
    comment: Words


@router.post(f"{_ONE}/pause", response=ExecutionDetail, url_name="api-execution-pause")
@requires(Action.CONTROL, "POST")
def pause(request: HttpRequest, execution_id: str, said: Said) -> ExecutionDetail:
    """Let the running step end, then stop before the next one."""
    services.pause(person(request), execution_id, said.comment)
    return detail(person(request), execution_id)


@router.post(f"{_ONE}/resume", response=ExecutionDetail, url_name="api-execution-resume")
@requires(Action.CONTROL, "POST")
def resume(request: HttpRequest, execution_id: str, said: Said) -> ExecutionDetail:
    """Go on after a pause, or when its window is open again."""
    services.resume(person(request), execution_id, said.comment)
    return detail(person(request), execution_id)


@router.post(f"{_ONE}/cancel", response=ExecutionDetail, url_name="api-execution-cancel")
@requires(Action.CONTROL, "POST")
def cancel(request: HttpRequest, execution_id: str, said: Said) -> ExecutionDetail:
    """Stop the running step, start nothing after it. While a worker does so, `intent` is `cancel`."""
    services.cancel(person(request), execution_id, said.comment)
    return detail(person(request), execution_id)


@router.post(f"{_ONE}/rollback", response=ExecutionDetail, url_name="api-execution-rollback")
@requires(Action.CONTROL, "POST")
def rollback(request: HttpRequest, execution_id: str, said: DownTo) -> ExecutionDetail:
    """Undo what was done, newest first; with `down_to` only that step and what came after it."""
    user, down_to = person(request), ""
    if said.down_to:
        step = the_step(get_execution(user, execution_id), said.down_to, said.host)
        down_to = str(step.pk)
    services.roll_back(user, execution_id, said.comment, down_to)
    return detail(user, execution_id)


@router.post(f"{_ONE}/give-up", response=ExecutionDetail, url_name="api-execution-give-up")
@requires(Action.CONTROL, "POST")
def give_up(request: HttpRequest, execution_id: str, said: Said) -> ExecutionDetail:
    """End one that waits for a decision on a step that did not succeed: it failed."""
    services.give_up(person(request), execution_id, said.comment)
    return detail(person(request), execution_id)


@router.post(f"{_ONE}/go-on", response=ExecutionDetail, url_name="api-execution-go-on")
@requires(Action.CONTROL, "POST")
def go_on(request: HttpRequest, execution_id: str, said: GoOn) -> ExecutionDetail:
    """Go on from another step. To skip one, or to repeat one that was done, is for a Lead."""
    user = person(request)
    step = the_step(get_execution(user, execution_id), said.step, said.host)
    services.resume_from(user, execution_id, step.pk, said.comment)
    return detail(user, execution_id)
