"""The rules about variables: each is declared, common or set before it is used, and is used at all."""

import re
from collections.abc import Iterator, Sequence

from cvdops.spec import shell
from cvdops.spec.codes import diagnostic
from cvdops.spec.document import COMMON_VARIABLES, Diagnostic, Kind, SectionKind, Step
from cvdops.spec.kinds import SHELLS
from cvdops.spec.references import set_by
from cvdops.spec.rules.subject import Subject
from cvdops.spec.values import variables_of

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
_IN_HTTP = re.compile(r"\$\{([A-Za-z_]\w*)\}")


def unset(subject: Subject) -> Iterator[Diagnostic]:
    """Goes through the steps in the order in which they run; what a step sets is set after it."""
    runbook = subject.runbook
    seen: set[tuple[str, str]] = set()
    common = {*COMMON_VARIABLES, *_OF_THE_SHELL}
    prepared = common | {v.name for v in runbook.variables}
    yield from _walk(subject, runbook.section(SectionKind.PREPARATION), prepared, seen)
    set_there = prepared - {v.name for v in runbook.variables if v.procedures}
    after = set(prepared)
    by_id = {step.id: step for step in runbook.steps}
    for procedure in runbook.procedures:
        known = set_there | {v.name for v in variables_of(runbook, procedure.key)}
        yield from _walk(subject, [by_id[i] for i in procedure.steps if i in by_id], known, seen)
        after |= known
    yield from _walk(subject, runbook.section(SectionKind.VERIFICATION), after, seen)
    yield from _walk(subject, runbook.section(SectionKind.ROLLBACK), after, seen)


def _walk(
    subject: Subject, steps: Sequence[Step], known: set[str], seen: set[tuple[str, str]]
) -> Iterator[Diagnostic]:
    """Adds to `known` what the steps set; each variable is reported once for a step."""
    for step in steps:
        mine = known | set(set_by(step))
        for name, number in _used(subject, step):
            if name not in mine and (step.id, name) not in seen:
                seen.add((step.id, name))
                yield diagnostic(
                    "RB401",
                    subject.line(step, number),
                    f"{name} is not declared, not common and set by no earlier block.",
                    "Declare it under variables: in the front matter, or set it in a block before.",
                )
        known.update(set_by(step))


def _used(subject: Subject, step: Step) -> Iterator[tuple[str, int]]:
    if step.kind in SHELLS:
        yield from shell.variables(subject.script(step))
    elif step.kind is Kind.HTTP:
        for number, line in enumerate(step.body.split("\n")):
            yield from ((name, number) for name in _IN_HTTP.findall(line))


def never_used(subject: Subject) -> Iterator[Diagnostic]:
    if not subject.runbook.variables:
        return
    words: set[str] = set()
    for step in subject.runbook.steps:
        words.update(
            re.findall(r"[A-Za-z_]\w*", f"{step.body} {step.attributes.when} {step.prose}")
        )
        words.update(step.child.variables if step.child else ())
    for variable in subject.runbook.variables:
        if variable.name not in words:
            yield diagnostic(
                "RB402",
                _declared_at(subject, variable.name),
                f"The variable {variable.name} is declared and never used.",
                "Remove it, or use it.",
            )


def _declared_at(subject: Subject, name: str) -> int:
    lines = enumerate(subject.lines, start=1)
    return next((i for i, text in lines if text.strip().startswith(f"{name}:")), 1)
