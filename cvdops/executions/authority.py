"""In a protected environment each step is begun only while the one in whose name it runs still may run it."""

from cvdops.access.policy import Action, can
from cvdops.access.words import of
from cvdops.accounts.models import User
from cvdops.executions import participants
from cvdops.executions.gates import rest
from cvdops.executions.models import Event, Execution
from cvdops.executions.queries import matter
from cvdops.executions.run import Run
from cvdops.executions.separation import TAKING_OVER
from cvdops.executions.states import StepState
from cvdops.executions.waits import RIGHT


def driver(execution: Execution) -> User:
    """In whose name it runs: who last let it go on, else its operator."""
    runs = participants.operator(execution.pk)
    taken = Event.objects.filter(
        execution=execution, kind__in=TAKING_OVER, actor__isnull=False, at__gt=runs.joined_at
    ).order_by("-seq")
    last = taken.select_related("actor").first()
    return last.actor if last and last.actor else runs.user


def admits(run: Run, indexes: tuple[int, ...]) -> tuple[int, ...]:
    """Those of these step runs that may go on or begin now. If none may, the execution rests.

    What has begun is watched to its end, and a rollback is never held up by this.
    """
    begun = tuple(i for i in indexes if run.steps[i].state != StepState.PENDING)
    if begun == indexes or run.rolling_back or not run.execution.environment.protected:
        return indexes
    person = driver(run.execution)
    decision = can(person, Action.CONTROL, matter(run.execution))
    if decision.allowed:
        return indexes
    if not begun:
        said = of(person.name, decision).reasons
        why = " ".join(r.text for r in said) if person.is_active else "The account is closed."
        text = f"{person.name} may not run this any more: {why} Who may, resumes or cancels it."
        rest(run, RIGHT, text, run.steps[indexes[0]].key)
    return begun
