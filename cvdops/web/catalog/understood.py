"""How a document was understood, laid out for a page. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from cvdops.executions.quality import Group, grouped
from cvdops.spec.document import Diagnostic, Sample, SectionKind, Step
from cvdops.spec.document import Runbook as Document
from cvdops.spec.study import Study
from cvdops.web.catalog.structure import stated

_ELSEWHERE = frozenset({"variables", "procedures"})  # shown by themselves
_MOST_SAMPLES = 60
_AROUND = (SectionKind.PREPARATION, SectionKind.VERIFICATION, SectionKind.ROLLBACK)


@dataclass(frozen=True, slots=True)
class Part:
    """Steps that run together, each with the attributes that its block states."""

    title: str
    what: str  # preparation, procedure, verification, rollback
    steps: tuple[tuple[Step, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Understood:
    document: Document
    metadata: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]
    samples: tuple[tuple[Step, Sample], ...]  # the first of them
    groups: tuple[Group, ...]
    found: tuple[Diagnostic, ...]


def understood(study: Study) -> Understood:
    """What the import page shows of a document."""
    document = study.runbook
    return Understood(
        document=document,
        metadata=tuple(
            (key, _text(value)) for key, value in document.metadata.items() if key not in _ELSEWHERE
        ),
        parts=tuple(_parts(document)),
        samples=tuple(islice(_samples(document), _MOST_SAMPLES)),
        groups=grouped(study.diagnostics),
        found=study.diagnostics,
    )


def _samples(document: Document) -> Iterator[tuple[Step, Sample]]:
    return ((step, sample) for step in document.steps for sample in step.samples)


def _parts(document: Document) -> Iterator[Part]:
    by_id = {step.id: step for step in document.steps}
    for procedure in document.procedures:
        steps = [by_id[step_id] for step_id in procedure.steps if step_id in by_id]
        yield _part(procedure.title, "procedure", steps)
    placed = {step_id for procedure in document.procedures for step_id in procedure.steps}
    for kind in _AROUND:
        if steps := list(document.section(kind)):
            yield _part(kind.capitalize(), kind, steps)
    rest = [s for s in document.steps if s.id not in placed and s.section not in _AROUND]
    if rest:
        yield _part("In no procedure", "never run", rest)


def _part(title: str, what: str, steps: list[Step]) -> Part:
    return Part(title, what, tuple((step, tuple(stated(step.attributes))) for step in steps))


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_text(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_text(one)}" for key, one in value.items())
    return str(value)
