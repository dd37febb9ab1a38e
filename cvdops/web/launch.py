"""The launch page as values: what was typed, the fields to fill in, and the plan, row by row."""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.http import QueryDict

from cvdops.executions.emergencies import Declaration
from cvdops.executions.launch import Preview
from cvdops.executions.quality import found_in
from cvdops.executions.resolved import Resolved, resolved
from cvdops.lib.errors import Problem
from cvdops.spec.document import Diagnostic, Step, Variable, VariableType
from cvdops.spec.plan import steps_of

PREFIX = "var-"
# The fields that have a place of their own on the page, in its order.
PLACED = (
    *("priority", "emergency_reason", "notified_at", "short_notice"),
    *("reason", "confirm_environment"),
)
_CONTROLS = re.compile(
    r"\bsystemctl (?:-\S+ )*(?:start|stop|restart|reload|try-restart|reload-or-restart) "
    r"(?:-\S+ )*(?:\"([^\"\n]+)\"|([\w@.${}-]+))"
)
_NAMED = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
_INPUTS = {VariableType.INTEGER: "number", VariableType.URL: "url"}
_MONO = {VariableType.PATH, VariableType.URL, VariableType.VERSION}


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person has chosen and typed so far."""

    procedure: str
    environment: str
    variables: Mapping[str, str]
    reason: str = ""
    confirm_environment: str = ""
    checklist: frozenset[int] = frozenset()
    in_window: bool = False  # to begin when the next window opens
    emergency: bool = False
    priority: str = ""
    emergency_reason: str = ""
    notified_at: str = ""
    short_notice: str = ""
    sent: bool = False  # it was sent before and refused: what is missing is said, too
    version: str = ""  # the number of an earlier one, if one was chosen
    shown: str = ""  # the number of the one whose plan the page shows
    key: str = field(default_factory=lambda: uuid.uuid4().hex)


def typed_from(data: QueryDict) -> Typed:
    """Read a query or a form. Nothing is judged here."""

    def text(name: str) -> str:
        return str(data.get(name, "")).strip()

    names = [name for name in data if name.startswith(PREFIX)]
    return Typed(
        procedure=text("procedure"),
        environment=text("environment"),
        variables={n.removeprefix(PREFIX): text(n) for n in names if text(n)},
        reason=text("reason"),
        confirm_environment=text("confirm_environment"),
        checklist=frozenset(int(p) for p in data.getlist("checklist") if p.isdecimal()),
        in_window=text("start") == "window",
        emergency=text("emergency") == "yes",
        priority=text("priority"),
        emergency_reason=text("emergency_reason"),
        notified_at=text("notified_at"),
        short_notice=text("short_notice"),
        sent=text("sent") == "yes",
        version=text("version"),
        shown=text("shown"),
        key=text("key")[:80] or uuid.uuid4().hex,
    )


def declaration(typed: Typed) -> Declaration | None:
    """The emergency that is declared, if one is. A time that cannot be read counts as none."""
    if not typed.emergency:
        return None
    try:
        notified = datetime.strptime(typed.notified_at, "%Y-%m-%dT%H:%M").replace(tzinfo=UTC)
    except ValueError:
        notified = None
    return Declaration(typed.priority, typed.emergency_reason, notified, typed.short_notice)


@dataclass(frozen=True, slots=True)
class Field:
    """A variable as an input: its type, limits, present value and what is wrong with it."""

    variable: Variable
    value: str
    error: str

    @property
    def name(self) -> str:
        return PREFIX + self.variable.name

    @property
    def choices(self) -> tuple[str, ...]:
        if self.variable.type is VariableType.BOOLEAN:
            return ("true", "false")
        return self.variable.choices

    @property
    def input_type(self) -> str:
        return "password" if self.variable.secret else _INPUTS.get(self.variable.type, "text")

    @property
    def is_number(self) -> bool:
        return self.variable.type is VariableType.INTEGER

    @property
    def mono(self) -> bool:
        return self.variable.type in _MONO or bool(self.variable.pattern)


@dataclass(frozen=True, slots=True)
class Row(Resolved):
    """A step of the plan, and what the rules say of it."""

    findings: tuple[Diagnostic, ...]


def fields(preview: Preview, problems: Mapping[str, str]) -> tuple[Field, ...]:
    """The variables to fill in. A secret is never sent back to the page."""
    return tuple(
        Field(v, "" if v.secret else value, problems.get(v.name, ""))
        for v, value in preview.variables
    )


def rows(preview: Preview) -> list[Row]:
    """The steps in the order in which they run."""
    found = found_in(preview.version, datetime.now(UTC).date())
    return [
        Row(
            number=one.number,
            step=one.step,
            host=one.host,
            undo=one.undo,
            request=one.request,
            values=one.values,
            findings=_findings(one.step, found),
        )
        for one in resolved(preview, preview.draft.forward)
    ]


def hosts(preview: Preview) -> list[str]:
    """Where the steps of the chosen procedure run, and only these."""
    targets = preview.targets
    steps = steps_of(preview.document, preview.procedure)
    return sorted({name for step in steps for name in targets.where(step).split(", ") if name})


def services(preview: Preview) -> list[str]:
    """The services that its commands start, stop or restart, as far as they are named in them."""
    secret = {v.name for v in preview.document.variables if v.secret}
    values = {n: value for n, value in preview.values.items() if n not in secret}
    found = set()
    for step in (*preview.draft.forward, *preview.draft.backward):
        for match in _CONTROLS.finditer(step.body):
            name = match[1] or match[2]
            found.add(_NAMED.sub(lambda m: values.get(m[1], m[0]), name).removesuffix(".service"))
    return sorted(found)


def no_return(rows: Sequence[Row]) -> Row | None:
    """The first step after which there is no way back: it changes something, and nothing undoes it."""
    return next((r for r in rows if r.step.attributes.destructive and r.undo is None), None)


def _findings(step: Step, diagnostics: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """What the rules say of its block, its expected outputs and the items of its list."""
    ends = (
        step.line + len(step.body.splitlines()),
        *(sample.line + len(sample.text.splitlines()) for sample in step.samples),
        *(item.line for item in step.checklist),
    )
    return tuple(d for d in diagnostics if step.line <= d.line <= max(ends))


def worth_showing(preview: Preview, given: Mapping[str, str]) -> tuple[Problem, ...]:
    """The problems to show before anything was sent: not that empty fields are still empty."""
    names = {variable.name for variable, _ in preview.variables}
    return tuple(p for p in preview.problems if p.field not in names or p.field in given)


def first_wrong(
    problems: Sequence[Problem], fields: Sequence[Field], obstacles: Sequence[Problem]
) -> tuple[str, str] | None:
    """The id of the first thing on the page that is wrong, and what is; None if nothing is."""
    said = {problem.field: problem.message for problem in problems}
    places = {one.variable.name: one.name for one in fields}
    places |= {one.field: "plan" for one in obstacles}
    items = sorted((f for f in said if f.startswith("checklist.")), key=lambda f: int(f[10:]))
    places |= {field: field.replace("checklist.", "check-") for field in items}
    places |= {name: name for name in PLACED}
    return next(((at, said[field]) for field, at in places.items() if field in said), None)
