"""Which steps an execution runs, in which order, and which undo them."""

from collections.abc import Sequence

from cvdops.spec.document import Procedure, Runbook, SectionKind, Step


class UnknownProcedure(ValueError):
    """The runbook has no such procedure; the message lists those it has."""


def procedure_of(runbook: Runbook, key: str) -> Procedure:
    """Raises UnknownProcedure."""
    for procedure in runbook.procedures:
        if procedure.key == key:
            return procedure
    known = ", ".join(p.key for p in runbook.procedures) or "none"
    raise UnknownProcedure(f"{runbook.id} has no procedure {key!r:.80}. It has: {known}.")


def steps_of(runbook: Runbook, procedure: str) -> tuple[Step, ...]:
    """Preparation, then the procedure, then verification.

    All steps of the two sections around it belong to each procedure, unless the front matter names
    others: `procedures: {key: {preparation: [step ids], verification: [step ids]}}`; an empty list means
    none. Raises UnknownProcedure.
    """
    return Plans(runbook).steps(procedure_of(runbook, procedure))


class Plans:
    """The plans of all procedures of a runbook, for whoever needs more than one."""

    def __init__(self, runbook: Runbook) -> None:
        self._by_id = {step.id: step for step in runbook.steps}
        self._preparation = runbook.section(SectionKind.PREPARATION)
        self._verification = runbook.section(SectionKind.VERIFICATION)

    def steps(self, procedure: Procedure) -> tuple[Step, ...]:
        return (
            *self._named(procedure.preparation, self._preparation),
            *self._named(procedure.steps, ()),
            *self._named(procedure.verification, self._verification),
        )

    def _named(self, ids: tuple[str, ...] | None, default: tuple[Step, ...]) -> tuple[Step, ...]:
        return default if ids is None else tuple(self._by_id[i] for i in ids if i in self._by_id)


def rollback_of(runbook: Runbook, step_ids: Sequence[str]) -> tuple[Step, ...]:
    """The steps that undo these completed ones (in the order of completion): the last is undone first.

    Each rollback step runs once.
    """
    by_id = {step.id: step for step in runbook.steps}
    completed = (by_id[i].attributes for i in reversed(step_ids) if i in by_id)
    undo = dict.fromkeys(a.undone_by for a in completed if a.undone_by in by_id)
    return tuple(by_id[i] for i in undo)
