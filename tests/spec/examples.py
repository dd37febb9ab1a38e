"""The examples in the documentation, found by the words in braces after the language of their block."""

import re
from dataclasses import dataclass
from pathlib import Path

from cvdops.spec.outline import Fence, read

DOCS = Path(__file__).parents[2] / "docs"


@dataclass(frozen=True, slots=True)
class Example:
    language: str
    marks: frozenset[str]
    text: str
    line: int
    name: str  # after the # in its braces


def examples(page: Path) -> list[Example]:
    """The marked blocks of a page: their marks are the words after the dots in `{.example .run}`."""
    fences = [item for item in read(page.read_text().split("\n")) if isinstance(item, Fence)]
    return [_example(fence) for fence in fences if "{" in fence.info]


def _example(fence: Fence) -> Example:
    name = re.search(r"#([\w-]+)", fence.info)
    marks = frozenset(re.findall(r"\.([\w-]+)", fence.info.replace(" ", " .")))
    return Example(fence.info.split()[0], marks, fence.body, fence.line, name[1] if name else "")


def whole(example: Example) -> str:
    """The example as a document: a part of one gets around it what it needs."""
    text = example.text
    if "front-matter" in example.marks:
        return f"---\n{text}---\n# Title\n\n## Procedures\n\n### Example\n\n```bash\nls\n```\n"
    if text.startswith(("---\n", "# ")):
        return text
    body = text if text.startswith("## ") else f"## Procedures\n\n{text}"
    undo = "\n## Rollback\n\n```bash {#start-again}\ntrue\n```\n"
    return f"---\nformat: 1\n---\n# Example\n\n{body}{undo}"
