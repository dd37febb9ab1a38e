"""A runbook with one planted defect for each rule: exactly those are found, at their lines."""

import pytest

from cvdops.spec.codes import CODES
from cvdops.spec.document import Severity
from cvdops.spec.lint import lint
from cvdops.spec.parser import parse
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


def planted() -> tuple[str, list[tuple[int, str]]]:
    lines: list[str] = []
    found: list[tuple[int, str]] = []
    for line in MARKED.split("\n"):
        if line.startswith("^ "):
            found.append((len(lines), line.removeprefix("^ ")))
        else:
            lines.append(line)
    return "\n".join(lines), found


def test_exactly_the_planted_defects_are_found() -> None:
    source, expected = planted()
    found = [(d.line, d.code) for d in lint(parse(source, "x.md"), source, TODAY)]
    assert found == sorted(expected)


def test_every_rule_has_its_defect() -> None:
    rules = {code for code in CODES if code == "RB301" or "RB4" <= code < "RB510"}
    # The first excludes RB508, the second needs a document too long to be read here.
    assert rules - {code for _, code in planted()[1]} == {"RB509", "RB412"}


@pytest.mark.parametrize("severity", Severity)
def test_each_severity_is_among_them(severity: Severity) -> None:
    assert any(CODES[code].severity is severity for _, code in planted()[1])
