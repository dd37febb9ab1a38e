"""Slugs and short quotations: how headings become ids and how messages quote a document."""

import re
import unicodedata

_NOT_SLUG = re.compile(r"[^a-z0-9]+")
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


def slug(text: str, empty: str = "step") -> str:
    """Lower case ASCII words joined by hyphens, at most 72 characters; `empty` if nothing is left."""
    plain = unicodedata.normalize("NFKD", text[:400]).encode("ascii", "ignore").decode().lower()
    return _NOT_SLUG.sub("-", plain.replace("'", "")).strip("-")[:72].strip("-") or empty


def unique(wanted: str, taken: set[str]) -> str:
    """`wanted`, or `wanted-2`, `wanted-3` …: the first that is not taken; it is taken then."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    taken.add(name)
    return name


def quote(value: object, limit: int = 60) -> str:
    """The value between quotation marks, on one line and cut where it is long."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(value)[:400]).split())
    return f"“{text[: limit - 1]}…”" if len(text) > limit else f"“{text}”"
