"""One effect: who comes second is told so, and who was first."""

from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from cvdops.executions import waits
from cvdops.executions.models import Execution, StepRun
from cvdops.executions.situation import Situation
from cvdops.executions.states import ExecutionState, said
from cvdops.executions.transitions import Superseded
from cvdops.lib.errors import MOVED_ON, Conflict

_LATELY = timedelta(minutes=1)
_FOLLOWS = ("execution.ready", "execution.start", "note")  # never what somebody else was second to


class one_effect:  # noqa: N801 — reads as a statement: with one_effect(execution)
    """Turns “somebody was first” into a sentence for the person who was second."""

    def __init__(self, execution: Execution, step: StepRun | None = None) -> None:
        self._execution = execution
        self._step = step

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, Superseded):
            raise moved_on(self._execution, "", self._step) from None


def lock(execution: Execution) -> Execution:
    """The execution's row first, then its approval request's: every verb locks in this order."""
    rows = Execution.objects.select_for_update()
    rows = rows.only("number", "state", "intent", "phase", "seq", "lease_until")
    return rows.get(pk=execution.pk)


def refuse_over(execution: Execution, phase: str) -> None:
    """What comes to its end is not decided any more, nor what ran before its rollback. Raises Conflict."""
    found = lock(execution)
    if found.ending:
        raise asked_before(found)
    if found.phase != phase:
        raise moved_on(execution, "Its rollback has begun.")


def refuse_changed(execution: Execution) -> None:
    """By a plan that was changed in the database nothing runs any more. Raises Conflict."""
    if execution.waiting_for.get("code") == waits.PLAN:
        raise Conflict("Its plan was changed in the database: cancel it, or give it up.")


def asked_before(execution: Execution) -> Conflict:
    """A worker is to do something already, as a sentence."""
    text = f"It is asked to {verb(execution.intent)} already: {who_was_first(execution)}."
    return Conflict(text, "Somebody was first")


def verb(intent: str) -> str:
    """As people say it."""
    return intent.replace("_", " ")


def moved_on(execution: Execution, text: str, step: StepRun | None = None) -> Conflict:
    """Why nothing was done, as a sentence: what it is now, and who made it so, if anybody did.

    Both are as they were found before.
    """
    before = execution.state, step and step.state
    execution.refresh_from_db(fields=["state", "waiting_for"])
    what = f"Execution #{execution.number} {said(execution.state)}"
    if step is not None:
        step.refresh_from_db(fields=["state"])
        what += f" and “{step.title}” {said(step.state)}"
    # What ended was not ended by whoever did something to one of its other steps before.
    about = Q(step=None) | Q(step=step) if execution.is_over else Q()
    why = who_was_first(execution, about & Q(at__gte=Now() - _LATELY))
    if not why and before != (execution.state, step and step.state):
        why = "it went on by itself"
    if not why and execution.state == ExecutionState.WAITING:
        why = str(execution.waiting_for.get("text", "")).removesuffix(".")
    return Conflict(f"{text} {what}{why and ': '}{why}.".strip(), MOVED_ON)


def who_was_first(execution: Execution, which: Q = Q()) -> str:  # noqa: B008 — nobody changes it
    """Who did something to it last, what and when, of these events; empty for nobody."""
    events = execution.events.filter(which, actor__isnull=False).exclude(kind__in=_FOLLOWS)
    last = events.select_related("actor").order_by("-seq").first()
    if last is None or last.actor is None:
        return ""
    verb = last.kind.removesuffix(".asked").rpartition(".")[2].replace("_", " ")
    return f"{last.actor.name} was first ({verb}, {last.at:%H:%M:%S} UTC)"


def refuse_stale(execution: Execution, seen: str, *, whatever_runs: bool = False) -> None:
    """Raises Conflict if this is not the situation in which somebody decided; empty: whatever it is.

    With `whatever_runs` steps may have gone on, but not turned back. In the transaction of what was decided:
    the execution's row is locked from here on.
    """
    if not seen:
        return
    found, then = lock(execution), Situation.read(seen)
    if then and then.phase == found.phase and (whatever_runs or _same(then, found)):
        return
    why = who_was_first(execution, Q(seq__gt=then.seq)) if then else ""
    text = f"It has moved on since this was shown: {why or 'it went on by itself'}. "
    raise Conflict(f"{text}See how it stands now, then decide.", MOVED_ON)


def _same(then: Situation, execution: Execution) -> bool:
    return then.digest == Situation.of(execution, execution.steps.all()).digest
