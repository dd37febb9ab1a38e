"""Real Git repositories for the tests of the catalog, made with an identity of their own."""

import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cvdops.catalog.models import Runbook
from cvdops.catalog.origin import Origin
from cvdops.catalog.report import FileResult, SyncReport
from cvdops.catalog.sync import sync

IDENTITY = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada Author",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Carl Committer",
    "GIT_COMMITTER_EMAIL": "carl@example.org",
}

DOCUMENT = """---
format: 1
id: {id}
version: 1.0.0
category: deployment
---
# {title}

## Overview
A runbook of the tests.

## Procedures

### Do it {{#do .procedure}}

```bash {{#say}}
echo {said}
```
{more}"""
CHILD = """
```runbook {{#call}}
runbook: {0}
```
"""
BROKEN_STEP = "```bash {#a colour=red}\ntrue\n```\n"


def document(runbook_id: str, said: str = "hello", more: str = "", title: str = "A title") -> str:
    """A runbook that can be executed."""
    return DOCUMENT.format(id=runbook_id, said=said, more=more, title=title)


@dataclass(frozen=True)
class Work:
    """A work tree, whose repository is what the catalog reads."""

    folder: Path

    def git(self, *arguments: str, given: bytes | None = None) -> str:
        done = subprocess.run(
            ["git", "-C", self.folder, *arguments],
            input=given,
            env=os.environ | IDENTITY,
            check=True,
            capture_output=True,
        )
        return done.stdout.decode().strip()

    def commit(self, **files: str | None) -> str:
        """Write these files (`a__b` is a/b.md; None deletes) and commit them. Returns the commit."""
        for name, text in files.items():
            path = self.folder / f"{name.replace('__', '/')}.md"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True) if text is None else path.write_text(text)
        return self.commit_all()

    def commit_all(self, message: str = "A change") -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def sync(self, **more: str) -> SyncReport:
        return sync(Origin(str(self.folder), **more))

    def actions(self) -> dict[str, str]:
        """What a sync does, per path."""
        return {result.path: result.action.value for result in self.sync().results}


def make(folder: Path, **files: str) -> Work:
    """A repository with one commit that holds these files."""
    folder.mkdir(parents=True, exist_ok=True)
    work = Work(folder)
    work.git("init", "--quiet", "--initial-branch=main")
    if files:
        work.commit(**files)
    return work


def imported(folder: Path, entries: Iterable[tuple[str, str, bytes]]) -> Work:
    """A repository whose one commit has these entries: mode, path, content. Names may be anything."""
    work = make(folder)
    stream = [b"commit refs/heads/main\ncommitter C <c@example.org> 0 +0000\ndata 1\nx\n"]
    for mode, path, content in entries:
        name = b'"' + path.encode().replace(b"\\", b"\\\\").replace(b"\n", b"\\n") + b'"'
        if mode == "160000":
            stream.append(b"M 160000 %s %s\n" % (content, name))
        else:
            stream.append(b"M %s inline %s\ndata %d\n" % (mode.encode(), name, len(content)))
            stream.append(content + b"\n")
    # What is imported may be large, and to compress it takes longer than the test.
    work.git("-c", "core.compression=0", "fast-import", "--quiet", given=b"".join(stream))
    return work


def versions(runbook_id: str) -> list[tuple[int, str, bool]]:
    """Number, commit and whether it can be executed, oldest first."""
    found = Runbook.objects.get(pk=runbook_id).versions.order_by("number")
    return [(v.number, v.commit, v.executable) for v in found]


def of(report: SyncReport, path: str) -> FileResult:
    """What the report says of one file."""
    return next(result for result in report.results if result.path == path)
