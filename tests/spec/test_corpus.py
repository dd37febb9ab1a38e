"""Documents as teams have them, each with what has to be understood of it beside it."""

import json
from pathlib import Path

import pytest

from cvdops.spec.parser import parse
from tests.spec.test_annotate import check_fixed_point

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.md"))


def structure(path: Path) -> dict[str, object]:
    """The structure of a document as it is kept beside it; everything with its line."""
    runbook = parse(path.read_bytes(), path.name)
    return {
        "title": runbook.title,
        "metadata": dict(runbook.metadata),
        "sections": [f"{s.line} {s.kind.value}: {s.heading}" for s in runbook.sections],
        "procedures": [f"{p.key} ({p.title}): {' '.join(p.steps)}" for p in runbook.procedures],
        "steps": [f"{s.line} {s.section.value} {s.kind.value} {s.id}" for s in runbook.steps],
        "samples": [f"{p.line} {s.id}: {p.text}" for s in runbook.steps for p in s.samples],
        "checklists": [f"{i.line} {s.id}: {i.text}" for s in runbook.steps for i in s.checklist],
        "troubleshooting": [f"{t.line} {t.title}" for t in runbook.troubleshooting],
        "diagnostics": [f"{d.line} {d.code}" for d in runbook.diagnostics],
    }


@pytest.mark.parametrize("path", CORPUS, ids=lambda p: p.stem)
def test_a_document_is_understood(path: Path) -> None:
    assert structure(path) == json.loads(path.with_suffix(".json").read_text())


@pytest.mark.parametrize("path", CORPUS, ids=lambda p: p.stem)
def test_a_document_means_the_same_in_the_annotated_form(path: Path) -> None:
    check_fixed_point(path.read_bytes().decode(errors="replace"))


def test_the_corpus_is_large_enough() -> None:
    assert len(CORPUS) >= 40
