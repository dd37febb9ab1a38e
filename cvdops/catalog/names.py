"""Which names a file of the source may have. Pure."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

LONGEST = 250  # characters of a path
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_SUFFIX = ".md"


def is_document(path: str) -> bool:
    """Whether a file is meant to be a runbook: Markdown, and neither a folder's README nor a tool's own."""
    parts = path.split("/")
    within_hidden = any(p.startswith(".") and p not in {".", ".."} for p in parts[:-1])
    name = parts[-1].casefold()
    return name.endswith(_SUFFIX) and name != "readme.md" and not within_hidden


def shown(path: str) -> str:
    """The path as it can be printed and stored."""
    text = "".join(c if c.isprintable() else "\ufffd" for c in path)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def why_not(path: str) -> str:
    """Why a file of this name is refused; empty if it is not."""
    if "\ufffd" in path or not path.isprintable():
        return "Its name holds control characters or is not UTF-8."
    if len(path) > LONGEST:
        return f"Its name is longer than {LONGEST} characters."
    parts = path.split("/")
    if "\\" in path or any(part in {"", ".", ".."} for part in parts):
        return "Its name leads out of its folder."
    if PurePosixPath(path).name.startswith("."):
        return "Its name begins with a dot."
    if any(_DEVICE.fullmatch(part) for part in parts):
        return "Its name is that of a device on Windows."
    return ""


def twins(paths: Iterable[str], kept: Iterable[str]) -> dict[str, str]:
    """Paths that differ from another only in case, each with that other. The one of `kept`, else the
    first by name, is the other."""
    first: dict[str, str] = {}
    found: dict[str, str] = {}
    known = set(kept)
    for path in sorted(paths, key=lambda p: (p not in known, p)):
        other = first.setdefault(unicodedata.normalize("NFC", path).casefold(), path)
        if other != path:
            found[path] = other
    return found
