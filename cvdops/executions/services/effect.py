"""One effect: who comes second is told so."""

from cvdops.executions.models import Execution, StepRun
from cvdops.executions.transitions import Superseded
from cvdops.lib.errors import Conflict


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


def moved_on(execution: Execution, text: str, step: StepRun | None = None) -> Conflict:
    execution.refresh_from_db(fields=["state"])
    what = f"Execution #{execution.number} is {execution.look.label.lower()}"
    if step is not None:
        step.refresh_from_db(fields=["state"])
        what += f" and “{step.title}” is {step.look.label.lower()}"
    return Conflict(f"{text} {what}: somebody was first, or it went on by itself.".strip())
