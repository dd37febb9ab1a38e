"""In nothing that the project ships a value becomes more than a value, and no text becomes code."""

import re
from pathlib import Path

import pytest

from cvdops.spec import template
from cvdops.spec.document import Kind, Runbook
from cvdops.spec.kinds import LANGUAGES, SHELLS
from cvdops.spec.lint import lint
from cvdops.spec.outline import Fence, read
from cvdops.spec.parser import parse
from tests.spec.documents import TODAY
from tests.spec.examples import DOCS, examples, whole

PROJECT = DOCS.parent
RULES = {"RB407", "RB408", "RB409", "RB410", "RB411", "RB412"}
PAGES = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *DOCS.glob("*.md")]
_EVAL = re.compile(r"(?:^|[\s;&|(`])eval(?:\s|$)")


def shipped() -> dict[str, str]:
    """The runbooks, a new one, the examples of the documentation and its other commands."""
    found = {path.name: path.read_text() for path in (PROJECT / "runbooks").glob("*.md")}
    found["a new one"] = template.new("a-new-one.md", TODAY)
    found |= {f"format, line {e.line}": whole(e) for e in examples(DOCS / "runbook-format.md")}
    for page in (DOCS / "lint").glob("RB*.md"):
        right = page.read_text().split("\n").index("## Right")
        for example in examples(page):
            if example.line > right and example.language == "markdown":
                found[f"{page.name}, line {example.line}"] = whole(example)
    return found | {page.name: as_runbook(page) for page in PAGES}


def as_runbook(page: Path) -> str:
    """The commands of an ordinary page, as they would be run."""
    fences = [item for item in read(page.read_text().split("\n")) if isinstance(item, Fence)]
    blocks = [f"```bash\n{f.body}```\n" for f in fences if f.info in LANGUAGES]
    return "# Page\n\n## Procedures\n\n" + "\n".join(blocks)


SHIPPED = shipped()
each = pytest.mark.parametrize("name", SHIPPED)


def understood(name: str) -> Runbook:
    return parse(SHIPPED[name], "shipped.md")


def test_the_runbooks_and_many_examples_are_among_them() -> None:
    steps = sum(len(understood(name).steps) for name in SHIPPED)
    assert len(SHIPPED) > 60
    assert steps > 200


@each
def test_no_value_becomes_more_than_a_value(name: str) -> None:
    found = lint(understood(name), SHIPPED[name], TODAY)
    assert [f"{d.line}: {d.code} {d.message}" for d in found if d.code in RULES] == []


@each
def test_no_text_becomes_code(name: str) -> None:
    shells = [step for step in understood(name).steps if step.kind in SHELLS]
    assert [step.id for step in shells if _EVAL.search(step.body)] == []


@each
def test_no_statement_and_no_address_is_put_together(name: str) -> None:
    steps = understood(name).steps
    assert [s.id for s in steps if s.kind is Kind.SQL and "$" in s.body] == []
    asked = [s for s in steps if s.kind is Kind.HTTP]
    assert [s.id for s in asked if not re.match(r"[A-Z]+ (\$\{\w+\}|https?://)[/\s]", s.body)] == []
