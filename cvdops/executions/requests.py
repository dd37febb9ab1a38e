"""An `http` step: a request that this worker sends itself. It ends with the worker, so that after a
crash its outcome is unknown, unless asking again changes nothing."""

import time
from dataclasses import replace

from django.db import connection

from cvdops.environments.models import AllowedAddress
from cvdops.executions import context, outcome
from cvdops.executions.attempts import LATE
from cvdops.executions.beginning import begin, recorder, refuse
from cvdops.executions.finishing import captured, everywhere, finish
from cvdops.executions.models import StepRun
from cvdops.executions.outcome import Outcome
from cvdops.executions.patience import AWAY, LOST, GivenUp, Patience
from cvdops.executions.recorder import Recorder
from cvdops.executions.run import Run, Try
from cvdops.executions.states import StepEvent, StepState
from cvdops.lib.failpoints import failpoint
from cvdops.runners.http import Broken, Exchange, NotSent
from cvdops.spec import http
from cvdops.spec.document import Step
from cvdops.spec.filling import Filled, FillError, fill

UNKNOWN = "Whether it was carried out is not known."
# Which of the two, nobody can know: a worker that stood still writes nothing any more.
_LOST = "Its worker went down, or stood still until another took over, before it stored an answer."


def carry_out(run: Run, index: int) -> None:
    """Send the request of this step and see it to its end. Raises Superseded or Leave."""
    step, definition = run.steps[index], run.definitions[index]
    variables = {
        **context.variables(run.execution, run.plan.default_host),
        **context.secrets(run.execution),
    }
    try:
        request = fill(http.read(definition.body), variables)
    except FillError as error:
        refuse(run, step, str(error))
        return
    if why := _why_not(run, step, request):
        refuse(run, step, why)
        return
    attempt = begin(run, step)
    failpoint("attempt.sent")
    _send(Try(run, step, definition, attempt, variables), request)


def recover(run: Run, index: int) -> None:
    """Settle a request that another worker sent, or was about to: nobody will see its answer."""
    step, definition = run.steps[index], run.definitions[index]
    work = Try(run, step, definition, step.attempts.get(state=StepState.RUNNING), {})
    stored = recorder(work)
    stored.resume()
    event = StepEvent.TRY_AGAIN if _repeatable(definition) else StepEvent.INTERRUPT
    note = f"{_LOST} The request may have been sent. {UNKNOWN}"
    finish(work, Outcome(event, note), stored)


def _repeatable(definition: Step) -> bool:
    """Whether asking again changes nothing."""
    method = http.read(definition.body).method
    return definition.attributes.idempotent or method in http.SAFE_METHODS


def _why_not(run: Run, step: StepRun, request: Filled) -> str:
    """Why the request may not go where it would; empty if it may."""
    address = request.origin.address
    planned = run.plan.addresses.get(step.key, ())
    if address not in planned:
        return (
            f"It would go to {address}; the plan of this execution allows "
            f"{', '.join(planned) or 'nothing'}. Start a new one: nothing was sent."
        )
    present = AllowedAddress.objects.filter(environment=run.plan.environment)
    if address not in map(str, present):
        return (
            f"{address} was taken off the allowed addresses of {run.plan.environment} after this "
            "execution was planned. Nothing was sent."
        )
    return ""


def _send(work: Try, request: Filled) -> None:
    stored, body = recorder(work), ""
    with work.run.hold.watching() as wake:
        patience = Patience(work, stored, wake)
        exchange = Exchange(request, str(work.attempt.pk), patience, stored.feed)
        try:
            answer = exchange.run()
        except NotSent as error:
            judged = Outcome(StepEvent.FAIL, f"{error} Nothing was sent.")
        except Broken as error:
            judged = _unanswered(work, StepEvent.FAIL, str(error))
        except GivenUp as error:
            judged = _unanswered(work, error.event, str(error), sent=exchange.sent)
        else:
            body = _masked(work, answer.body)
            judged = outcome.judge_answer(work.definition, answer.status, answer.head, body)
            if patience.late:
                judged = replace(judged, note=f"{judged.note} {LATE}".strip())
    _record(work, stored, judged, captured(work, judged, body))


def _unanswered(work: Try, event: StepEvent, note: str, *, sent: bool = True) -> Outcome:
    """What it is called when no answer came: never a failure that nobody saw."""
    if not sent:
        return Outcome(event, f"{note} Nothing was sent.")
    if _repeatable(work.definition):
        return Outcome(event, note)
    return Outcome(StepEvent.INTERRUPT, f"{note} {UNKNOWN}")


def _masked(work: Try, body: bytes) -> str:
    masker = context.masker(work.run.execution)
    return (masker.feed(body) + masker.flush()).decode(errors="replace")


def _record(work: Try, stored: Recorder, judged: Outcome, variables: dict[str, str]) -> None:
    """Record the end. A database that is away for a moment is waited for: nobody else saw the answer."""
    while True:
        try:
            stored.finish()
            finish(work, judged, stored, everywhere(work, variables))
            return
        except LOST:
            if not work.run.hold.valid:
                raise
            connection.close()
            time.sleep(AWAY)
