"""Every example in the reference of the format is right, and those marked so run."""

import re
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path

import pytest

from cvdops.runners.job import Job
from cvdops.runners.local import LocalTransport
from cvdops.spec import sql
from cvdops.spec.annotate import annotate
from cvdops.spec.document import (
    COMMON_VARIABLES,
    Attributes,
    Category,
    Kind,
    Runbook,
    SectionKind,
    Step,
    VariableType,
)
from cvdops.spec.kinds import LANGUAGES
from cvdops.spec.lint import lint
from cvdops.spec.metadata import KEYS
from cvdops.spec.parser import parse
from cvdops.spec.plan import steps_of
from cvdops.spec.samples import compare
from cvdops.spec.serialise import to_json
from cvdops.spec.values import check
from tests.runners.bench import follow
from tests.spec.documents import TODAY
from tests.spec.examples import DOCS, Example, examples, whole

PAGE = DOCS / "runbook-format.md"
TEXT = PAGE.read_text()
EXAMPLES = examples(PAGE)
INTERPRETERS = {
    Kind.BASH: "bash",
    Kind.CONSOLE: "bash",
    Kind.SH: "sh",
    Kind.PYTHON: "python",
    Kind.SQL: "sqlite",
}


def name(example: Example) -> str:
    return f"line {example.line}"


@pytest.mark.parametrize("example", EXAMPLES, ids=name)
def test_an_example_has_no_errors(example: Example) -> None:
    found = parse(whole(example), "example.md").diagnostics
    assert [d for d in found if d.severity == "error"] == []
    assert {d.code for d in found} <= {"RB212", "RB302", "RB303", "RB305", "RB306", "RB307"}


@pytest.mark.parametrize("example", EXAMPLES, ids=name)
def test_in_no_example_a_value_becomes_more_than_a_value(example: Example) -> None:
    source = whole(example)
    found = {d.code for d in lint(parse(source), source, TODAY)}
    assert found & {"RB407", "RB408", "RB409", "RB410", "RB411"} == set()


@pytest.mark.parametrize("example", EXAMPLES, ids=name)
def test_an_example_keeps_its_steps_in_the_annotated_form(example: Example) -> None:
    source = whole(example)
    runbook = parse(source, "example.md")
    text = annotate(runbook, source)
    assert [s.id for s in parse(text).steps] == [s.id for s in runbook.steps]


@pytest.mark.parametrize("example", [e for e in EXAMPLES if "run" in e.marks], ids=name)
def test_an_example_that_can_run_keeps_its_promises(example: Example, tmp_path: Path) -> None:
    runbook = parse(whole(example), "example.md")
    steps = [s for p in runbook.procedures for s in steps_of(runbook, p.key)]
    ran = [s for s in steps if s.kind in INTERPRETERS]
    outputs = run(runbook, ran, tmp_path)
    for step, output in zip(ran, outputs, strict=True):
        results = [compare(s.text, output, step.attributes.expect) for s in step.samples]
        assert [(step.id, r.verdict) for r in results] == [(step.id, "kept")] * len(results)


def run(runbook: Runbook, steps: list[Step], folder: Path) -> list[str]:
    """What each step prints, in one session as strict as an execution's."""
    common = dict.fromkeys(COMMON_VARIABLES, str(folder))
    values, problems = check(runbook, runbook.procedures[0].key, {}, common)
    assert problems == ()
    transport = LocalTransport(folder / "spool")
    transport.spool()
    database, where = orders(folder), str(folder)
    outputs = []
    for step in steps:
        job = Job(
            attempt=str(uuid.uuid4()),
            interpreter=INTERPRETERS[step.kind],
            strict=True,
            script=step.body,
            variables=values,
            cwd=where,
            database=database,
            names=sql.names(step.body),
            bare=bool(step.attributes.capture),
        )
        result, output = follow(transport.start(job))
        assert result.exit_code in step.attributes.exit_codes, output.decode()
        outputs.append(output.decode())
        values, where = {**values, **result.variables}, result.cwd
        if step.attributes.capture:
            values[step.attributes.capture] = output.decode().strip()
    return outputs


def orders(folder: Path) -> str:
    """The database that the examples ask."""
    path = folder / "cvd.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE service_orders (id INTEGER PRIMARY KEY, status TEXT)")
        database.execute("INSERT INTO service_orders VALUES (2, 'done'), (3, 'open')")
    return str(path)


@pytest.mark.parametrize("kind", INTERPRETERS)
def test_an_example_of_each_kind_runs(kind: Kind) -> None:
    ran = [parse(whole(e)) for e in EXAMPLES if "run" in e.marks]
    assert any(step.kind is kind for runbook in ran for step in runbook.steps)


def test_enough_of_the_examples_run() -> None:
    assert sum("run" in e.marks for e in EXAMPLES) >= 8


@pytest.mark.parametrize("key", sorted(KEYS))
def test_every_key_of_the_front_matter_is_in_the_example_and_explained(key: str) -> None:
    assert f"`{key}`" in TEXT
    fields = "".join(e.text for e in EXAMPLES if "front-matter" in e.marks)
    assert re.search(rf"^{key}:", fields, re.MULTILINE) or key in ("when_to_use", "urgency")


def test_every_attribute_is_explained() -> None:
    step = Step(id="a", title="", kind=Kind.BASH, section=SectionKind.PROCEDURES, line=1)
    runbook = parse("# T\n## Procedures\n```bash\nls\n```\n")
    attributes = to_json(runbook)["steps"][0]["attributes"]  # type: ignore[index]
    assert step.attributes == Attributes()
    assert [a for a in attributes if not re.search(rf"^\| `{a}(=|`)", TEXT, re.MULTILINE)] == []


@pytest.mark.parametrize("words", [LANGUAGES, VariableType, Category, SectionKind])
def test_every_word_of_the_format_is_there(words: object) -> None:
    missing = [w for w in words if not re.search(rf"\b{w}\b", TEXT, re.IGNORECASE)]  # type: ignore[attr-defined]
    assert [w for w in missing if w not in ("shellsession", "python3", "py")] == []


def test_every_link_of_the_readme_and_the_page_leads_somewhere() -> None:
    for page in (DOCS.parent / "README.md", PAGE, *(DOCS / "lint").glob("*.md")):
        for target in re.findall(r"(?<!!)\[[^\]]*\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_link_within_the_page_leads_to_a_heading() -> None:
    headings = re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
    assert set(re.findall(r"\]\(#([^)]*)\)", TEXT)) <= anchors
