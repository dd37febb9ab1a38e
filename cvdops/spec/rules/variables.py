"""The rules about variables: each is declared, common or set before it is used, and is used at all."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from cvdops.spec import shell, sql
from cvdops.spec.codes import diagnostic
from cvdops.spec.document import COMMON_VARIABLES, Diagnostic, Kind, SectionKind, Step
from cvdops.spec.kinds import SHELLS
from cvdops.spec.references import set_by
from cvdops.spec.rules.subject import Subject
from cvdops.spec.variables import names

_OF_THE_SHELL = frozenset(
    {
        "HOME",
        "PATH",
        "USER",
        "LOGNAME",
        "PWD",
        "OLDPWD",
        "SHELL",
        "LANG",
        "TERM",
        "TMPDIR",
        "HOSTNAME",
    }
    | {"RANDOM", "SECONDS", "LINENO", "UID", "EUID", "PPID", "IFS", "OPTARG", "OPTIND", "REPLY"}
    | {"PIPESTATUS", "FUNCNAME", "EPOCHSECONDS", "SUDO_USER", "OSTYPE", "HOSTTYPE"}
)
Use = tuple[Step, str, int]  # a variable, and the line (from 0) of the step's body
_NAMED = re.compile(r"\$\{([A-Za-z_]\w*)\}")


def unset(subject: Subject) -> Iterator[Diagnostic]:
    for step, name, number in uses_of_unset(subject):
        yield diagnostic(
            "RB401",
            subject.line(step, number),
            f"{name} is not declared, not common and set by no earlier block.",
            "Declare it under variables: in the front matter, or set it in a block before.",
        )


def uses_of_unset(subject: Subject) -> Iterator[Use]:
    """Goes through the steps in the order in which they run; what a step sets is set after it."""
    runbook = subject.runbook
    walk = _Walk(subject)
    by_id = {step.id: step for step in runbook.steps}
    declared = set(names(runbook.metadata))
    always = {
        *COMMON_VARIABLES,
        *_OF_THE_SHELL,
        *(declared - {v.name for v in runbook.variables if v.procedures}),
    }
    of_procedure: dict[str, set[str]] = defaultdict(set)
    for variable in runbook.variables:
        for key in variable.procedures:
            of_procedure[key].add(variable.name)
    yield from walk.through(runbook.section(SectionKind.PREPARATION), declared, always)
    anywhere = declared | always
    for procedure in runbook.procedures:
        known = set(of_procedure[procedure.key])
        steps = [by_id[i] for i in procedure.steps if i in by_id]
        yield from walk.through(steps, always, known)
        anywhere |= known
    yield from walk.through(runbook.section(SectionKind.VERIFICATION), declared, anywhere)
    yield from walk.through(runbook.section(SectionKind.ROLLBACK), declared, anywhere)


class _Walk:
    """Reports each variable once for a step, however many procedures run it."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._seen: set[tuple[str, str]] = set()

    def through(
        self, steps: Sequence[Step], before: AbstractSet[str], known: set[str]
    ) -> Iterator[Use]:
        """`before` and `known` are set already; what the steps set is added to `known`."""
        for step in steps:
            mine = set(set_by(step))
            for name, number in _used(self._subject, step):
                new = not (name in before or name in known or name in mine)
                if new and (step.id, name) not in self._seen:
                    self._seen.add((step.id, name))
                    yield step, name, number
            known |= mine


def _used(subject: Subject, step: Step) -> Iterator[tuple[str, int]]:
    if step.kind in SHELLS:
        found = shell.variables(subject.script(step))
        yield from (use for use in found if not use[0].startswith(("BASH", "LC_")))
    elif step.kind is Kind.SQL:
        yield from ((found.name, found.line) for found in sql.placeholders(step.body))
    elif step.kind in (Kind.HTTP, Kind.MANUAL, Kind.RUNBOOK):
        for number, line in enumerate(step.body.split("\n")):
            yield from ((name, number) for name in _NAMED.findall(line))


def never_used(subject: Subject) -> Iterator[Diagnostic]:
    if not subject.runbook.variables:
        return
    words: set[str] = set()
    for step in subject.runbook.steps:
        words.update(
            re.findall(r"[A-Za-z_]\w*", f"{step.body} {step.attributes.when} {step.prose}")
        )
        words.update(step.child.variables if step.child else ())
    declared_at = _declared_at(subject)
    for variable in subject.runbook.variables:
        if variable.name not in words:
            yield diagnostic(
                "RB402",
                declared_at.get(variable.name, 1),
                f"The variable {variable.name} is declared and never used.",
                "Remove it, or use it.",
            )


def _declared_at(subject: Subject) -> dict[str, int]:
    """The first line that begins with each name and a colon."""
    found: dict[str, int] = {}
    for number, text in enumerate(subject.lines, start=1):
        name, colon, _ = text.partition(":")
        if colon:
            found.setdefault(name.strip(), number)
    return found
