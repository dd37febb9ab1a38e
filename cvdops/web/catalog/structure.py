"""How two documents differ in what they do: their steps, procedures and variables. Pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

from cvdops.spec.document import Attributes, Procedure, Runbook, Step, Variable

T = TypeVar("T")
_NAMES = {"exit_codes": "exit"}  # the others are called in a fence as the field is
_SECONDS = frozenset({"timeout", "backoff", "expires"})
_LONGEST = 120  # characters of a value that is shown


@dataclass(frozen=True, slots=True)
class Change:
    """A thing that one document has and the other has not, or that is not the same in both."""

    verb: str  # added | removed | changed
    name: str
    title: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Structure:
    document: tuple[str, ...]
    procedures: tuple[Change, ...]
    steps: tuple[Change, ...]
    variables: tuple[Change, ...]

    @property
    def same(self) -> bool:
        return not (self.document or self.procedures or self.steps or self.variables)


def differences(old: Runbook, new: Runbook) -> Structure:
    """What is added, removed or changed from the old document to the new one."""
    return Structure(
        document=tuple(_of_document(old, new)),
        procedures=_changes(old.procedures, new.procedures, _procedure_name, _procedure),
        steps=_changes(old.steps, new.steps, _step_name, _step),
        variables=_changes(old.variables, new.variables, _variable_name, _variable),
    )


def stated(attributes: Attributes) -> list[str]:
    """The attributes that are not what they would be if nothing were said, as a fence has them."""
    default = Attributes()
    return [
        f"{_called(f.name)}={_value(f.name, value)}" if value is not True else _called(f.name)
        for f in fields(Attributes)
        if (value := getattr(attributes, f.name)) != getattr(default, f.name)
    ]


def _changes(
    old: Sequence[T],
    new: Sequence[T],
    name: Callable[[T], tuple[str, str]],
    details: Callable[[T, T], Iterator[str]],
) -> tuple[Change, ...]:
    before = {name(one)[0]: one for one in old}
    after = {name(one)[0]: one for one in new}
    found = [Change("added", *name(one)) for key, one in after.items() if key not in before]
    found += [Change("removed", *name(one)) for key, one in before.items() if key not in after]
    for key, one in after.items():
        if key in before and (what := tuple(details(before[key], one))):
            found.append(Change("changed", *name(one), what))
    return tuple(found)


def _procedure_name(procedure: Procedure) -> tuple[str, str]:
    return procedure.key, procedure.title


def _step_name(step: Step) -> tuple[str, str]:
    return step.id, step.title


def _variable_name(variable: Variable) -> tuple[str, str]:
    return variable.name, ""


def _of_document(old: Runbook, new: Runbook) -> Iterator[str]:
    yield from _moved("title", old.title, new.title)
    yield from _moved("shell", old.shell, new.shell)
    for key in ("category", "group", "impact", "approver"):
        yield from _moved(key, old.metadata.get(key, ""), new.metadata.get(key, ""))


def _procedure(old: Procedure, new: Procedure) -> Iterator[str]:
    yield from _moved("title", old.title, new.title)
    for name in ("preparation", "steps", "verification"):
        if getattr(old, name) != getattr(new, name):
            yield f"{name}: {_names(getattr(old, name))} → {_names(getattr(new, name))}"


def _names(ids: Sequence[str] | None) -> str:
    return "all" if ids is None else _short(", ".join(ids) or "none")


def _step(old: Step, new: Step) -> Iterator[str]:
    yield from _moved("kind", old.kind, new.kind)
    yield from _moved("section", old.section, new.section)
    if old.body != new.body:
        yield "the command" if new.language else "the text"
    for field in fields(Attributes):
        before, after = getattr(old.attributes, field.name), getattr(new.attributes, field.name)
        if before != after:
            was, now = _value(field.name, before), _value(field.name, after)
            yield f"{_called(field.name)}: {was} → {now}"
    for name, word in (
        ("gate", "the approval"),
        ("child", "the child runbook"),
        ("title", "the title"),
    ):
        if getattr(old, name) != getattr(new, name):
            yield word
    if [s.text for s in old.samples] != [s.text for s in new.samples]:
        yield "the expected output"
    if [i.text for i in old.checklist] != [i.text for i in new.checklist]:
        yield "the checklist"
    if old.prose != new.prose:
        yield "the words around it"


def _variable(old: Variable, new: Variable) -> Iterator[str]:
    for field in fields(Variable):
        yield from _moved(field.name, getattr(old, field.name), getattr(new, field.name))


def _moved(name: str, old: object, new: object) -> Iterator[str]:
    if old != new:
        yield f"{name}: {_value(name, old)} → {_value(name, new)}"


def _called(field: str) -> str:
    return _NAMES.get(field, field.replace("_", "-"))


def _value(name: str, value: object) -> str:
    if value is True or value is False:
        return "yes" if value else "no"
    if name in _SECONDS and isinstance(value, float):
        return f"{value:g}s"
    if isinstance(value, tuple):
        return _short(",".join(str(one) for one in value) or "none")
    return _short("none" if value in (None, "") else str(value))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
