"""Every example in the reference of the format is right, and those marked so run."""

import re
import subprocess
from pathlib import Path

import pytest

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
from cvdops.spec.kinds import LANGUAGES, SHELLS
from cvdops.spec.lint import lint
from cvdops.spec.metadata import KEYS
from cvdops.spec.parser import parse
from cvdops.spec.plan import steps_of
from cvdops.spec.samples import compare
from cvdops.spec.serialise import to_json
from cvdops.spec.values import check
from tests.spec.documents import TODAY
from tests.spec.examples import DOCS, Example, examples, whole

PAGE = DOCS / "runbook-format.md"
TEXT = PAGE.read_text()
EXAMPLES = examples(PAGE)


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
    ran = [s for s in steps if s.kind in SHELLS | {Kind.PYTHON}]
    outputs = run(runbook, ran, tmp_path)
    for step, output in zip(ran, outputs, strict=True):
        results = [compare(s.text, output, step.attributes.expect) for s in step.samples]
        assert [(step.id, r.verdict) for r in results] == [(step.id, "kept")] * len(results)


def run(runbook: Runbook, steps: list[Step], folder: Path) -> list[str]:
    """What each step prints, in one shell as strict as an execution's."""
    common = dict.fromkeys(COMMON_VARIABLES, str(folder))
    values, problems = check(runbook, runbook.procedures[0].key, {}, common)
    assert problems == ()
    script = "set -euo pipefail\n"
    for number, step in enumerate(steps):
        body = f"python3 - <<'END'\n{step.body}END" if step.kind is Kind.PYTHON else step.body
        script += f"{{\n{body}\n}} > '{folder}/{number}.out'\n"
    environment = {"PATH": "/usr/bin:/bin:/usr/local/bin", **values}
    subprocess.run(["bash", "-c", script], env=environment, cwd=folder, check=True, timeout=30)
    return [(folder / f"{number}.out").read_text() for number in range(len(steps))]


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
