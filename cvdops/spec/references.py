"""Checks what steps say about other things: steps that undo them, outputs, variables, procedures."""

from collections.abc import Iterator, Sequence

from cvdops.spec import patterns
from cvdops.spec.assignments import assigned
from cvdops.spec.codes import Notes
from cvdops.spec.conditions import ConditionError, parse_condition
from cvdops.spec.document import (
    COMMON_VARIABLES,
    Expect,
    Procedure,
    SectionKind,
    Step,
    Variable,
)
from cvdops.spec.kinds import SHELLS
from cvdops.spec.slugs import quote

_MAX_EXPRESSION = 2000


def check(
    steps: Sequence[Step],
    variables: Sequence[Variable],
    names: frozenset[str],
    procedures: Sequence[Procedure],
    notes: Notes,
) -> None:
    """`names` are those of the variables that are declared wrongly, too."""
    by_id = {step.id: step for step in steps}
    known = {*COMMON_VARIABLES, *names}
    undoing = [s.id for s in steps if s.section is SectionKind.ROLLBACK]
    rollbacks = ", ".join(undoing)[:400] or "no steps"
    for step in steps:
        _rollback(step, by_id, rollbacks, notes)
        _samples(step, notes)
        _condition(step, known, notes)
        known.update(set_by(step))
    keys = {p.key for p in procedures}
    known_keys = ", ".join(sorted(keys))[:400]
    hint = f"The procedures are: {known_keys}." if keys else "The document has no procedures."
    for variable in variables:
        for key in variable.procedures:
            if key not in keys:
                message = f"The variable {variable.name} names no procedure with {quote(key)}."
                notes.add("RB106", 2, message, hint)


def set_by(step: Step) -> Iterator[str]:
    """The variables that are set once this step has run."""
    if step.attributes.capture:
        yield step.attributes.capture
    if step.kind in SHELLS:
        yield from assigned(step.body)


def _rollback(step: Step, by_id: dict[str, Step], rollbacks: str, notes: Notes) -> None:
    name = step.attributes.rollback
    if not name:
        return
    if name not in by_id:
        message = f"rollback={name} names a step that does not exist."
        notes.add("RB205", step.line, message, f"Rollback has: {rollbacks}.")
    elif by_id[name].section is not SectionKind.ROLLBACK:
        message = f"rollback={name} names a step outside the section Rollback."
        notes.add("RB207", step.line, message, "Move that block below the heading Rollback.")


def _samples(step: Step, notes: Notes) -> None:
    attributes = step.attributes
    if attributes.expect and not attributes.checkpoint and not step.samples:
        notes.add(
            "RB208",
            step.line,
            "expect= has no expected output to check against.",
            "Put an ```output block right after this one.",
        )
    if attributes.expect is Expect.REGEX:
        for sample in step.samples:
            if why := why_not_expression(sample.text):
                hint = "Write each line as an expression of its own, with bounded repetitions."
                notes.add("RB210", sample.line, why, hint)


def why_not_expression(text: str) -> str:
    """Why this expected output is no regular expression that may be used; empty if it is one."""
    if len(text) > _MAX_EXPRESSION:
        return f"The expression is longer than {_MAX_EXPRESSION} characters."
    for line in text.split("\n"):
        try:
            patterns.check(line, searched=True)
        except patterns.PatternError as error:
            return str(error)
    return ""


def _condition(step: Step, known: set[str], notes: Notes) -> None:
    if not step.attributes.when:
        return
    try:
        names = parse_condition(step.attributes.when).names
    except ConditionError:
        return  # its attribute was refused already
    for name in sorted(names - known):
        notes.add(
            "RB209",
            step.line,
            f"when= asks for {name}, which is not declared, not common and set by no earlier step.",
            "Declare it under variables: in the front matter.",
        )
