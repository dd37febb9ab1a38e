"""Each code has a page whose wrong example has exactly that finding, and whose right one has none."""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from cvdops.spec import collection
from cvdops.spec.codes import CODES
from cvdops.spec.document import Diagnostic
from cvdops.spec.frontmatter import load
from cvdops.spec.lint import lint
from cvdops.spec.parser import MAX_LINES, parse
from cvdops.spec.rules.history import Facts, history
from cvdops.spec.study import unread
from tests.spec.documents import TODAY
from tests.spec.examples import DOCS, Example, examples

FOLDER = DOCS / "lint"
HEADER = {
    "format": "format: 1",
    "category": "category: incidents",
    "last_updated": "last_updated: 2026-11-01",
    "impact": "impact: No downtime.",
}
PART = '```bash\nsystemctl restart "${SERVICE_NAME}"\n```\n'
TOOLS = "tools: [systemctl, sudo, find]"
SECTIONS = """\
## Overview

What it is for.

## Prerequisites

Access to the server.

## Preparation

- [ ] People were told

## Procedures

%s
## Verification

```bash {#check}
true
```

## Rollback

```bash {#undo}
true
```

## Troubleshooting

### It fails

**Symptoms**: it fails

**Resolution**: wait
"""


def sides(page: Path) -> dict[str, list[Example]]:
    """The examples below *Wrong* and those below *Right*."""
    lines = page.read_text().split("\n")
    right = lines.index("## Right") + 1
    assert lines.index("## Wrong") + 1 < right
    found = examples(page)
    return {
        "wrong": [e for e in found if e.line < right],
        "right": [e for e in found if e.line > right],
    }


def findings(code: str, given: list[Example]) -> list[Diagnostic]:
    """What is found in an example; of what the parser finds alone where the code is one of its own."""
    by_mark = {mark: e.text for e in given for mark in e.marks}
    if "document" in by_mark:
        return among(given)
    if "facts" in by_mark:
        return list(history({}, facts(by_mark["facts"]), TODAY))
    if "ended" in by_mark:
        return list(unread("example", "It takes too long.").diagnostics)
    written = document(by_mark)
    runbook = parse(written, "example.md")
    source = written.decode(errors="replace")
    of_a_rule = code in ("RB301", "RB312") or code >= "RB4"
    return list(lint(runbook, source, TODAY) if of_a_rule else runbook.diagnostics)


def document(by_mark: Mapping[str, str]) -> bytes:
    if "escaped" in by_mark:
        return by_mark["whole"].encode().decode("unicode_escape").encode("latin-1")
    if "many" in by_mark:
        return re.sub("(?s)### .*?\n```\n", lambda part: 150 * part[0], by_mark["many"]).encode()
    if "whole" in by_mark:
        return (by_mark["whole"] * (MAX_LINES + 1 if "repeated" in by_mark else 1)).encode()
    more = by_mark.get("front-matter", "")
    keys = re.findall(r"^(\w+):", more, re.MULTILINE)
    kept = [line for key, line in {**HEADER, "tools": TOOLS}.items() if key not in keys]
    part = by_mark.get("part", PART)
    if "long" in by_mark:
        part = re.sub("(echo .*\n)", lambda line: 19_000 * line[0], part)
    body = by_mark.get("sections") or SECTIONS % part
    header = "\n".join(kept) + f"\n{more}"
    return f"---\n{header}---\n# Example\n\n{body}".encode()


def among(given: list[Example]) -> list[Diagnostic]:
    documents = {e.name: parse(e.text, e.name) for e in given}
    return [d for found in collection.among(documents, complete=True).values() for d in found]


def facts(text: str) -> Facts:
    values = load(text).value
    assert isinstance(values, dict)
    if "executed_at" in values:
        values["executed_at"] = date.fromisoformat(str(values["executed_at"]))
    return Facts(**values)


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert {path.stem for path in FOLDER.glob("RB*.md")} == set(CODES)
    index = (FOLDER / "README.md").read_text()
    assert [code for code in CODES if f"| [{code}]({code}.md) |" not in index] == []


@pytest.mark.parametrize("code", CODES)
def test_a_page_has_the_words_and_the_severity_of_the_table(code: str) -> None:
    severity, explanation = CODES[code]
    lines = (FOLDER / f"{code}.md").read_text().split("\n")
    assert lines[0] == f"# {code}: {explanation.rstrip('.')}"
    word = {"info": "Note"}.get(severity, severity.capitalize())
    assert lines[2].startswith(f"**{word}**: ")


@pytest.mark.parametrize("code", CODES)
def test_the_wrong_example_has_that_finding_and_no_other(code: str) -> None:
    found = findings(code, sides(FOLDER / f"{code}.md")["wrong"])
    assert {d.code for d in found} == {code}


@pytest.mark.parametrize("code", CODES)
def test_the_right_example_has_no_finding(code: str) -> None:
    assert findings(code, sides(FOLDER / f"{code}.md")["right"]) == []
