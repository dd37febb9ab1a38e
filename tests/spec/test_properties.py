"""Whatever the text: nothing raises, every line lies in the file, ids are unique, and it is quick."""

import json
import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvdops.spec.document import Runbook
from cvdops.spec.lint import lint
from cvdops.spec.parser import parse
from cvdops.spec.plan import rollback_of, steps_of
from cvdops.spec.render import render
from cvdops.spec.serialise import to_json
from tests.examples import examples
from tests.spec import hostile
from tests.spec.documents import ANNOTATED, PLAIN

PIECES = [
    "---\n", "format: 1\n", "variables:\n  A: {default: x}\n", "procedures: {a: {sections: [b]}}\n",
    "# ", "## ", "### ", "#### ", "Procedures\n", "Rollback\n", "Verification\n", "Overview\n", "Step 1\n",
    "Troubleshooting\n", "**Symptoms**: x\n", "**Resolution**: y\n", "{.procedure}\n", " {section=rollback}\n",
    "=====\n", "{#b}\n", "\n", "\n\n",
    "```bash\n", "```bash {#b destructive rollback=c}\n", "```console\n$ x\ny\n", "```approval\n",
    "```runbook\n",
    "```output\n", "```\n", "~~~\n", "- [ ] a\n", "1. b\n", "   ", "> ", "\t", "| a | b |\n|---|---|\n",
    "<!--\n", "-->\n", "<details>\n", "Expected output:\n", "# Expected output: x\n", "echo \"$(a 'b')\"\n",
    "é🙂",
    "'", '"', "$(", "<<EOF\n", "EOF\n", "\\\n", "\r", "\x00", "**Owner**: x\n", "[a](", "`", "*", "&amp;",
]  # fmt: skip


def examine(source: str) -> None:
    runbook = parse(source, "x.md")
    lines = (
        source.replace("\r\n", "\n")
        .replace("\r", "\n")
        .replace("\f", "\n")
        .removesuffix("\n")
        .count("\n")
        + 1
    )
    places = [d.line for d in lint(runbook, source, date(2026, 1, 1))]
    places += [part.line for part in (*runbook.sections, *runbook.steps, *runbook.troubleshooting)]
    places += [p.line for step in runbook.steps for p in (*step.samples, *step.checklist)]
    assert all(1 <= line <= lines for line in places)
    assert len({step.id for step in runbook.steps}) == len(runbook.steps)
    json.dumps(to_json(runbook))
    render(source)
    walk(runbook)


def walk(runbook: Runbook) -> None:
    for procedure in runbook.procedures:
        rollback_of(runbook, [step.id for step in steps_of(runbook, procedure.key)])


@given(st.text(max_size=300))
def test_any_text(source: str) -> None:
    examine(source)


@given(st.binary(max_size=300))
def test_any_bytes(source: bytes) -> None:
    parse(source)


@examples(300)
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_anything_shaped_like_a_runbook(pieces: list[str]) -> None:
    examine("".join(pieces))


@given(
    st.sampled_from([ANNOTATED, PLAIN]),
    st.lists(
        st.tuples(st.integers(0, 2000), st.integers(0, 30), st.sampled_from(PIECES)), max_size=5
    ),
)
def test_mutations_of_real_documents(source: str, changes: list[tuple[int, int, str]]) -> None:
    for at, removed, piece in changes:
        source = source[:at] + piece + source[at + removed :]
    examine(source)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.faults) if name in hostile.LONG else name
        for name in hostile.ALL
    ],
)
def test_a_hostile_document_is_quick(name: str) -> None:
    assert seconds(hostile.ALL[name]) < 30  # on a machine that does other things too


@pytest.mark.parametrize("name", hostile.LONG)
def test_the_quarter_of_a_long_one_is_quicker(name: str) -> None:
    assert seconds(hostile.quarter(name)) < 10


def seconds(source: str) -> float:
    """Of the processor's time, to understand a document and to show it."""
    start = time.process_time()
    lint(parse(source), source, date(2026, 1, 1))
    render(source)
    return time.process_time() - start
