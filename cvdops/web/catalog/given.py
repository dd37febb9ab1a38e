"""A document that somebody pasted or uploaded, before it is read. Pure."""

import re
from dataclasses import dataclass

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from cvdops.lib.errors import Invalid, Problem
from cvdops.spec.parser import MAX_BYTES

_LOOKED_AT = 8_000  # bytes
_BINARY = 0.05  # of them are control characters
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_LONGEST_NAME = 300


@dataclass(frozen=True, slots=True)
class Given:
    """`text` is what a form can carry: nothing in it that a browser or the database would refuse."""

    name: str  # of the file; empty if the text was pasted
    content: bytes
    text: str


def given(sent: QueryDict, files: "MultiValueDict[str, UploadedFile[bytes]]") -> Given:
    """The file, if one was chosen, else the text. Raises Invalid with a sentence."""
    file = files.get("file")
    if file is None:
        text = str(sent.get("text", ""))
        content = text.encode("utf-8", "replace")
        name = str(sent.get("name", ""))[:_LONGEST_NAME]
    else:
        content = file.read(MAX_BYTES + 1)
        name = (file.name or "")[:_LONGEST_NAME]
    if why := _why_not(content, file.size if file else len(content)):
        raise Invalid([Problem("file" if file else "text", why)])
    text = content.decode("utf-8", "replace").removeprefix("\ufeff").replace("\0", "\ufffd")
    return Given(name, content, text)


def _why_not(content: bytes, size: int | None) -> str:
    if not content.strip():
        return "There is nothing to read. Paste a document, or choose a file that is not empty."
    if (size or 0) > MAX_BYTES:
        megabytes = (size or 0) / 1_000_000
        return (
            f"This has {megabytes:.1f} MB, and a runbook has {MAX_BYTES // 1_000_000} MB at most."
            " Split it into several."
        )
    beginning = content[:_LOOKED_AT]
    if len(_CONTROL.findall(beginning)) > _BINARY * len(beginning):
        return "This is no text. Choose a Markdown file, saved as UTF-8."
    return ""
