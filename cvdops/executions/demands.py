"""Which approvals a plan needs: those of its gates, and those that policies ask for before it starts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cvdops.approvals import policies
from cvdops.approvals.groups import Demand, Group, covers, together
from cvdops.executions.models import StepRun
from cvdops.executions.states import StepState
from cvdops.lib.errors import Problem
from cvdops.spec.document import Category, Gate, Kind, SectionKind, Step

START = "approval-to-start"  # the id of the step that the policies add
_UNNAMED = (Group(("operations-manager",)),)  # who decides where neither gate nor policy says it
_RESTORE = re.compile(r"restor|recover", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Gated:
    """The steps with the gate that policies put before them, if any, and what each gate asks for."""

    steps: tuple[Step, ...]
    demands: Mapping[str, Demand]
    problems: tuple[Problem, ...] = ()


def resolve(
    steps: tuple[Step, ...],
    undo: tuple[Step, ...],
    *,
    environment: str,
    category: str,
    procedure: str,
    emergency: bool = False,
) -> Gated:
    """Put the approval to start at the head, unless a gate before the first change asks for as much."""
    if any(step.id == START for step in (*steps, *undo)):
        text = (
            f"The step “{START}” has an id that the portal keeps for itself: give it another one."
        )
        return Gated(steps, {}, (Problem("runbook", text),))
    changing = any(step.attributes.destructive for step in steps)
    restore = category == Category.BACKUP_RESTORE
    wanted = together(
        policies.demands(
            environment,
            category,
            changing=changing,
            restoring=restore and (changing or bool(_RESTORE.search(procedure))),
            emergency=emergency,
        )
    )
    fallback = wanted.groups if wanted else _UNNAMED
    demands = {
        step.id: _asked(step.gate or Gate(), fallback)
        for step in (*steps, *undo)
        if step.kind is Kind.APPROVAL
    }
    if wanted is None or any(
        covers(demands[step.id].groups, wanted.groups) and _not_weaker(demands[step.id], wanted)
        for step in _before_the_first_change(steps)
    ):
        return Gated(steps, demands)
    return Gated((_approval_to_start(wanted), *steps), {START: wanted, **demands})


def before_start(steps: Sequence[StepRun]) -> bool:
    """Whether these wait for the approval to start: nothing is done, and nothing is held for them yet."""
    first = steps[0] if steps else None
    return first is not None and first.key == START and first.state != StepState.SUCCEEDED


def _asked(gate: Gate, fallback: tuple[Group, ...]) -> Demand:
    groups = (Group(gate.approvers, gate.required),) if gate.approvers else fallback
    return Demand(groups, gate.expires)


def _not_weaker(demand: Demand, wanted: Demand) -> bool:
    return demand.reason_required or not wanted.reason_required


def _before_the_first_change(steps: Sequence[Step]) -> list[Step]:
    """The gates that always come before anything is changed."""
    found = []
    for step in steps:
        if step.attributes.destructive or step.kind is Kind.RUNBOOK:
            break
        if step.kind is Kind.APPROVAL and not step.attributes.when:
            found.append(step)
    return found


def _approval_to_start(demand: Demand) -> Step:
    return Step(
        id=START,
        title="Approval to start",
        kind=Kind.APPROVAL,
        section=SectionKind.PREPARATION,
        line=0,
        gate=Gate(
            approvers=tuple(sorted(demand.approvers)),
            required=sum(group.required for group in demand.groups),
            expires=demand.expires,
            message=f"Required by: {'; '.join(demand.policies)}.",
        ),
    )
