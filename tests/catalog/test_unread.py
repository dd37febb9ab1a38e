"""A version whose reading had to be ended is never read again."""

import pytest

from cvdops.catalog import queries
from cvdops.catalog.models import Runbook, RunbookVersion
from cvdops.spec.serialise import diagnostic_json
from cvdops.spec.study import UNREAD, unread
from cvdops.web.catalog.documents import rendered

WHY = "It takes longer than 2 s to read this document."


@pytest.fixture
def version(db: None) -> RunbookVersion:
    runbook = Runbook.objects.create(id="slow", path="slow.md", category="security", title="Slow")
    return RunbookVersion.objects.create(
        runbook=runbook,
        number=1,
        content_hash="0" * 64,
        source="# Slow\n\n## Procedures\n\n```bash\ntrue\n```\n",
        diagnostics=[diagnostic_json(d) for d in unread("slow", WHY).diagnostics],
        executable=False,
    )


def test_its_document_is_empty_and_says_why(version: RunbookVersion) -> None:
    document = queries.document(version)
    assert (document.id, document.steps, document.executable) == ("slow", (), False)
    assert [(d.code, d.message) for d in document.diagnostics] == [(UNREAD, WHY)]


def test_its_page_shows_why_in_place_of_the_document(version: RunbookVersion) -> None:
    assert rendered(version) == f"<p>{WHY} It is not shown.</p>"
