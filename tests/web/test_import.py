"""Trying a document out."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse

from cvdops.catalog.models import RunbookVersion
from cvdops.spec.parser import parse
from tests.web.world import DOCUMENT, World

PLAIN = """# Restart the shop

## Overview
When it hangs. <b>bold</b>

## Procedures
### Phase 1: Stop
```bash
systemctl stop $SHOP
```
Expected output:
```
stopped
```

## Troubleshooting
### It does not stop
**Symptoms**: hangs
**Resolution**: kill it
"""


def post(world: World, content: bytes | str = b"", file: str = "", **fields: str) -> HttpResponse:
    data: dict[str, object] = dict(fields)
    if file:
        raw = content if isinstance(content, bytes) else content.encode()
        data["file"] = SimpleUploadedFile(file, raw)
    return world.client("auditor").post("/runbooks/import/", data)


def page(answer: HttpResponse) -> str:
    return answer.content.decode()


def test_a_document_is_shown_beside_how_it_is_understood(world: World) -> None:
    shown = page(post(world, text=PLAIN))
    for text in ("Phase 1: Stop", "troubleshooting", "1 expected output", "It does not stop"):
        assert text in shown
    assert '<li id="L8"' in shown and 'href="#L8"' in shown
    assert "Nothing is stored here" in shown


def test_a_finding_leads_to_its_line_and_to_its_rule(world: World) -> None:
    shown = page(post(world, text=PLAIN))
    line = PLAIN.splitlines().index("systemctl stop $SHOP") + 1
    assert f'href="#L{line}"' in shown
    assert f'<li id="L{line}" class="warning">' in shown
    assert 'href="/runbooks/rules/RB401/"' in shown


def test_what_is_in_it_is_escaped(world: World) -> None:
    shown = page(post(world, text=PLAIN.replace("# Restart", "# <script>x</script>\u202e")))
    assert "<script>x" not in shown
    assert "\u202e" not in shown.partition("</textarea>")[2]
    assert "⟨U+202E⟩" in shown


def test_the_annotated_form_is_downloaded_under_its_id(world: World) -> None:
    answer = post(world, PLAIN, "Ops Notes.md", show="download")
    assert answer["Content-Type"] == "text/markdown; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="ops-notes.md"'
    assert parse(answer.content).metadata["id"] == "ops-notes"


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.md", 'a"; filename="evil.exe.md', "\u202egnp.md", "x" * 300 + ".md"]
)
def test_no_name_of_a_file_gets_into_the_download(name: str, world: World) -> None:
    answer = post(world, "# T\n```bash\ntrue\n```\n", "plain.md", show="download", name=name)
    assert answer["Content-Disposition"] == 'attachment; filename="plain.md"'
    answer = post(world, text="# T\n", show="download", name=name)
    name_given = answer["Content-Disposition"].partition('filename="')[2]
    assert name_given.removesuffix('.md"').replace("-", "").isalnum()
    assert len(name_given) <= 85


def test_the_annotated_form_is_compared_with_the_document(world: World) -> None:
    shown = page(post(world, text=PLAIN, show="annotated"))
    assert "What annotating adds" in shown
    assert "<ins>format: 1</ins>" in shown


def test_a_document_that_is_annotated_already_says_so(world: World) -> None:
    annotated = post(world, text=PLAIN, show="download").content.decode()
    assert "No line is different" in page(post(world, text=annotated, show="annotated"))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "There is nothing to read"),
        (b" \r\n\t", "There is nothing to read"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "This is no text"),
        ("# UTF-16".encode("utf-16"), "This is no text"),
        (b"# T\n" + b"x" * 1_000_000, "1 MB at most"),
        (b"# T\n" + b"x" * 3_000_000, "This has 3.0 MB"),
    ],
)
def test_what_cannot_be_read_gets_a_sentence(content: bytes, sentence: str, world: World) -> None:
    answer = post(world, content, "file.md")
    assert answer.status_code == 422
    assert sentence in page(answer)


@pytest.mark.parametrize(
    "content",
    [
        b"# Gr\xfc\xdfe\n",
        b"\xef\xbb\xbf# BOM\r\n",
        b"# One NUL\0 in a long enough text that it is no binary file\n" * 3,
        b"[" * 100_000,
        b"# T\n" + b"- [ ] x\n" * 19_000,
        b"---\na: &a [*a]\n---\n",
    ],
)
def test_what_is_odd_is_shown(content: bytes, world: World) -> None:
    assert post(world, content, "file.md").status_code == 200


def test_nothing_at_all_gets_a_sentence(world: World) -> None:
    assert "There is nothing to read" in page(post(world))


def test_a_text_too_large_for_a_form_gets_a_sentence(world: World) -> None:
    answer = post(world, text="x" * 2_200_000)
    assert answer.status_code == 413
    assert "too large" in page(answer)


def test_a_nul_in_the_form_gets_a_sentence(world: World) -> None:
    answer = post(world, text="# T\0")
    assert answer.status_code == 400
    assert "</html>" in page(answer)


def test_nothing_is_stored(world: World) -> None:
    before = RunbookVersion.objects.count()
    post(world, text=DOCUMENT.format(id="new", category="security", group="core", title="New"))
    assert RunbookVersion.objects.count() == before


def test_the_text_can_be_changed_and_sent_again(world: World) -> None:
    shown = page(post(world, "\n\n# T </textarea><script>", "a.md"))
    assert "&lt;/textarea&gt;&lt;script&gt;</textarea>" in shown
    assert 'name="name" value="a.md"' in shown
