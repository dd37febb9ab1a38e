"""A runbook with one planted defect for each rule: exactly those are found, at their lines."""

import pytest

from cvdops.spec.children import cycles, missing
from cvdops.spec.codes import CODES
from cvdops.spec.document import Severity
from cvdops.spec.lint import lint
from cvdops.spec.parser import parse
from cvdops.spec.rules.history import Facts, history
from cvdops.spec.study import unread
from tests.spec.defects import CYRILLIC, DEFECTS, HIDDEN, UNDO, block, header
from tests.spec.documents import TODAY

# The line before each `^ code` has that finding; those lines are taken out of the document.
MARKED = """\
---
^ RB301
^ RB506
format: 1
category: deployment
last_updated: 2026-01-31
^ RB508
tools: [sqlite3, curl]
variables:
  SPARE: {default: x}
^ RB402
  ANY: {default: x}
---
# Everything wrong

## Overview

## Preparation

- [ ] People were told

## Procedures

```bash {#outside}
rm -f $ANY
^ RB407
```

```bash {#inside}
N=1
kill $N
^ RB408
```

```bash {#evaluated}
eval "$ANY"
^ RB409
```

```bash {#statement}
sqlite3 db "SELECT '$ANY'"
^ RB410
```

```bash {#address}
curl "http://127.0.0.1/$ANY"
^ RB411
```

```bash {#unset}
ls "$NOBODY"
^ RB401
```

```bash {#angles}
ls <date>
^ RB403
```

```bash {#unfilled}
ls /home/your-user
^ RB404
```

```bash {#session}
/usr/bin/ssh db1
^ RB405
```

```bash {#follows}
tail -f /var/log/syslog
^ RB406
```

```bash {#unknown-tool}
nginx -t
^ RB501
```

```bash {#unchecked checkpoint}
^ RB502
true
```

```bash {#no-way-back destructive}
^ RB504
^ RB505
^ RB507
true
```

## Verification

Look at it.

## Rollback

Nothing.

## Troubleshooting
^ RB503
"""


def many_steps() -> str:
    keys = "".join(f"  p{n}: {{sections: [x]}}\n" for n in range(30))
    blocks = "```sh\ntrue\n```\n" * 1_000
    return f"---\nprocedures:\n{keys}---\n# T\n\n## Procedures\n\n### x\n\n{blocks}"


def read(marked: str) -> tuple[str, list[tuple[int, str]]]:
    """The document, and what has to be found in it; `^ code@7` names a line by its number."""
    lines: list[str] = []
    found: list[tuple[int, str]] = []
    for line in marked.split("\n"):
        if line.startswith("^ "):
            code, _, number = line.removeprefix("^ ").partition("@")
            found.append((int(number or len(lines)), code))
        else:
            lines.append(line)
    return "\n".join(lines), sorted(found)


def test_exactly_the_planted_defects_are_found() -> None:
    source, expected = read(MARKED)
    found = lint(parse(source, "x.md"), source, TODAY)
    assert [(d.line, d.code) for d in found] == expected
    assert [d.code for d in found if not d.hint] == []


@pytest.mark.parametrize("marked", DEFECTS, ids=[f"{n}-{d[-40:]!r}" for n, d in enumerate(DEFECTS)])
def test_the_parser_finds_exactly_the_planted_defect(marked: str) -> None:
    source, expected = read(marked)
    found = parse(source, "x.md").diagnostics
    assert [(d.line, d.code) for d in found] == expected
    assert [d.code for d in found if not d.hint] == []


@pytest.mark.parametrize(
    ("source", "code", "line"),
    [
        ("a\n" * 20_001, "RB001", 1),
        (b"# T\n\n\xff\n\n## Procedures\n\n```sh\ntrue\n```\n", "RB002", 3),
        (many_steps(), "RB311", 1),
    ],
)
def test_what_is_too_large_to_be_shown_here(source: str | bytes, code: str, line: int) -> None:
    (found,) = parse(source, "x.md").diagnostics
    assert (found.code, found.line, bool(found.hint)) == (code, line, True)


def test_more_code_than_is_checked_is_said_at_its_block() -> None:
    source = block("bash", "true\n") + f"\n```bash\n{'echo a; ' * 1_200}\n```\n"
    found = [d for d in lint(parse(source), source, TODAY) if d.code == "RB412"]
    assert [(d.line, bool(d.hint)) for d in found] == [(13, True)]


def test_circles_and_missing_children_are_found_at_their_blocks() -> None:
    call = block("runbook", "runbook: {}\n").replace("incidents", "incidents\nid: a")
    documents = {"a": parse(call.replace("{}", "a")), "b": parse(call.replace("{}", "nobody"))}
    found = (*cycles(documents)["a"], *missing(documents)["b"])
    assert [(d.code, d.line, bool(d.hint)) for d in found] == [
        ("RB214", 10, True),
        ("RB215", 10, True),
    ]


def test_what_the_history_says_is_about_the_first_line() -> None:
    found = history({}, Facts(promises_broken=1), TODAY)
    assert [(d.line, d.code) for d in found] == [(1, "RB510"), (1, "RB511"), (1, "RB512")]
    assert all(d.hint for d in found)


def test_a_document_that_cannot_be_read_says_so_on_its_first_line() -> None:
    (found,) = unread("x.md", "It takes too long.").diagnostics
    assert (found.code, found.line, bool(found.hint)) == ("RB006", 1, True)


def test_every_code_has_its_defect() -> None:
    planted = {code for marked in (MARKED, *DEFECTS) for _, code in read(marked)[1]}
    elsewhere = {"RB001", "RB002", "RB006", "RB214", "RB215", "RB220", "RB311", "RB412"}
    of_lint = {"RB109", "RB312", "RB413", "RB509", "RB513", "RB514", "RB515"}
    assert set(CODES) - planted - elsewhere - of_lint == {"RB510", "RB511", "RB512"}


@pytest.mark.parametrize(
    ("marked", "code"),
    [
        ("# T\n^ RB109\n\n## Procedures\n\n```bash\ntrue\n```\n", "RB109"),
        (block("bash", f"rm {HIDDEN}x\n^ RB413\n"), "RB413"),
        (header("id: x\n").replace("# T", f"# Se{CYRILLIC}vice\n^ RB312"), "RB312"),
        ("# T\n\n**Last Updated**: 12 March 2026\n^ RB509\n", "RB509"),
        (block("bash {checkpoint}", after="\n```output\n^ RB513\n0% lost\n```\n"), "RB513"),
        (block("bash", after="\n```output\n^ RB514\n```\n"), "RB514"),
        (block("bash {rollback=undo}\n^ RB515", after=UNDO), "RB515"),
        (block("sql", "SELECT :NOPE\n^ RB401\n"), "RB401"),
        (block("manual", "Call ${NOPE}.\n^ RB401\n"), "RB401"),
        (block("runbook", "runbook: x\nvariables: {A: '${NOPE}'}\n^ RB401\n"), "RB401"),
    ],
)
def test_a_rule_finds_the_planted_defect(marked: str, code: str) -> None:
    source, expected = read(marked)
    found = [d for d in lint(parse(source, "x.md"), source, TODAY) if d.code == code]
    assert [(d.line, d.code) for d in found] == expected
    assert all(d.hint for d in found)


def test_a_wrong_declaration_is_found_once() -> None:
    source = header("variables: {A: {type: integer, default: x}}\n").replace("true", 'echo "${A}"')
    found = [d.code for d in lint(parse(source), source, TODAY)]
    assert ("RB106" in found, "RB401" in found) == (True, False)


@pytest.mark.parametrize("severity", Severity)
def test_each_severity_is_among_them(severity: Severity) -> None:
    assert any(CODES[code].severity is severity for _, code in read(MARKED)[1])
