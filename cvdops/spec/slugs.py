"""Slugs and short quotations: how headings become ids and how messages quote a document."""

import re
import unicodedata

_NOT_SLUG = re.compile(r"[^a-z0-9]+")
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


def slug(text: str, empty: str = "step") -> str:
    """Lower case ASCII words joined by hyphens, at most 72 characters; `empty` if nothing is left."""
    plain = unicodedata.normalize("NFKD", text[:400]).encode("ascii", "ignore").decode().lower()
    return _NOT_SLUG.sub("-", plain.replace("'", "")).strip("-")[:72].strip("-") or empty


class Names:
    """Hands out names that are unique in one document."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = {}

    def take(self, name: str) -> bool:
        """Takes exactly this name; False if it is taken already."""
        free = name not in self._taken
        self._taken.add(name)
        return free

    def unique(self, wanted: str) -> str:
        """`wanted`, or `wanted-2`, `wanted-3` …: the first that is not taken; it is taken then."""
        name, number = wanted, self._numbers.get(wanted, 1)
        while not self.take(name):
            number += 1
            name = f"{wanted}-{number}"
        self._numbers[wanted] = number
        return name


def quote(value: object, limit: int = 60) -> str:
    """The value between quotation marks, on one line and cut where it is long."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(value)[:400]).split())
    return f"“{text[: limit - 1]}…”" if len(text) > limit else f"“{text}”"
