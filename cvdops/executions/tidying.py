"""The files of what ended: their worker may have died after it stored the end and before it removed them."""

import logging

from cvdops.executions import context
from cvdops.executions.models import StepAttempt
from cvdops.executions.run import Run
from cvdops.executions.states import StepState
from cvdops.runners.job import StartFailed, Unreachable

log = logging.getLogger(__name__)


def tidy(run: Run) -> None:
    """Remove those of the last attempt on each host: before it there was another worker to do so."""
    ended = StepAttempt.objects.filter(step__execution=run.execution, step__unconfirmed=False)
    ended = ended.exclude(state=StepState.RUNNING).exclude(step__host="").select_related("step")
    for attempt in ended.order_by("step__host", "-finished_at").distinct("step__host"):
        try:
            context.transport(run.plan.hosts[attempt.step.host]).clean(str(attempt.pk))
        except (StartFailed, Unreachable) as error:
            log.warning("The files of %s stay behind: %s", attempt.pk, error)
