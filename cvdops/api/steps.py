"""What people do with single steps. Each answers with the execution as it is then."""

from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.api.asking import Asked, Number
from cvdops.api.execution import ExecutionDetail, detail
from cvdops.api.executions import Name, Words
from cvdops.executions import services
from cvdops.executions.models import ChecklistMark, Execution, StepRun
from cvdops.executions.queries import get_outline, get_step
from cvdops.lib.errors import Invalid, Problem

router = Router(tags=["steps"])
_STEP = "/executions/{execution_id}/steps/{step_id}"


class SaidOfStep(Asked):
    """`host`: which one is meant, of a step that runs on several."""

    comment: Words = ""
    host: Name = ""


class Confirmed(SaidOfStep):
    """`items`: the places of those that are confirmed, from 0; without it all that are open."""

    items: Annotated[list[Number], Field(max_length=100)] | None = None
    outcome: Literal["succeeded"] = "succeeded"


class DecidedOfStep(SaidOfStep):
    """`seen`: the execution's `situation` in which you decided; empty: whatever it is now."""

    seen: Name = ""


class Skipped(DecidedOfStep):
    outcome: Literal["skipped"] = "skipped"


class Settled(DecidedOfStep):
    """`outcome`: what became of it, as somebody has seen: it is marked so."""

    outcome: Literal["succeeded", "skipped"] = "succeeded"


# What need not be said: then there need be no body.
_ALL, _AGAIN, _LEFT, _DONE = Confirmed(), DecidedOfStep(), Skipped(), Settled()


@router.post(f"{_STEP}/confirm", response=ExecutionDetail, url_name="api-step-confirm")
@requires(Action.ASSIST, "POST")
def confirm(
    request: HttpRequest, execution_id: str, step_id: str, said: Confirmed = _ALL
) -> ExecutionDetail:
    """Confirm items of a manual step or a checklist; the last one lets the execution go on."""
    user = person(request)
    step = the_step(get_outline(user, execution_id), step_id, said.host)
    items = _open(step) if said.items is None else said.items
    services.confirm(user, execution_id, step.pk, items, said.comment)
    return detail(user, execution_id)


@router.post(f"{_STEP}/retry", response=ExecutionDetail, url_name="api-step-retry")
@requires(Action.CONTROL, "POST")
def retry(
    request: HttpRequest, execution_id: str, step_id: str, said: DecidedOfStep = _AGAIN
) -> ExecutionDetail:
    """Run a step again that did not succeed."""
    user = person(request)
    step = the_step(get_outline(user, execution_id), step_id, said.host)
    services.retry(user, execution_id, step.pk, said.comment, said.seen)
    return detail(user, execution_id)


@router.post(f"{_STEP}/skip", response=ExecutionDetail, url_name="api-step-skip")
@requires(Action.OVERRIDE, "POST")
def skip(
    request: HttpRequest, execution_id: str, step_id: str, said: Skipped = _LEFT
) -> ExecutionDetail:
    """Go on without a step that did not succeed. For a Lead, with a comment that says why."""
    user = person(request)
    step = the_step(get_outline(user, execution_id), step_id, said.host)
    services.skip(user, execution_id, step.pk, said.comment, said.seen)
    return detail(user, execution_id)


@router.post(f"{_STEP}/settle", response=ExecutionDetail, url_name="api-step-settle")
@requires(Action.OVERRIDE, "POST")
def settle(
    request: HttpRequest, execution_id: str, step_id: str, said: Settled = _DONE
) -> ExecutionDetail:
    """Say what became of a step that did not succeed, or whose end nobody saw. For a Lead, with a comment."""
    user = person(request)
    step = the_step(get_outline(user, execution_id), step_id, said.host)
    if step.unconfirmed and "outcome" in said.model_fields_set:
        text = "It was asked to stop: that it is stopped is all that can be settled. Leave `outcome` out."
        raise Invalid([Problem("outcome", text)])
    verb = services.skip if said.outcome == "skipped" else services.settle
    verb(user, execution_id, step.pk, said.comment, said.seen)
    return detail(user, execution_id)


def the_step(execution: Execution, step_id: str, host: str) -> StepRun:
    """The step that is meant: on this host, or the only one. Raises NotFound, Invalid."""
    step = get_step(execution, step_id)
    if str(step.pk) == step_id:
        return step
    found = {one.host: one for one in execution.steps.filter(key=step.key)}
    if host in found or (len(found) == 1 and not host):
        return found[host] if host else step
    known = ", ".join(sorted(filter(None, found))) or "no host"
    raise Invalid([Problem("host", f"“{step.title}” runs on {known}: name one of them.")])


def _open(step: StepRun) -> list[int]:
    """The places of its items that nobody has confirmed; of one that is confirmed all, to be told so."""
    marks = ChecklistMark.objects.filter(step=step)
    places = marks.filter(confirmed_at__isnull=True).values_list("position", flat=True)
    return list(places or marks.values_list("position", flat=True))
