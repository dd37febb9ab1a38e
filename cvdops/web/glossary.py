"""The words of docs/glossary.md, which is their only source."""

import re
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings

from cvdops.spec.slugs import slug

_ROW = re.compile(r"^\| *(?P<name>[^|]+?) *\| *(?P<meaning>.+?) *\|$", re.MULTILINE)
_HEAD = re.compile(r"^(word|[-: ]+)$")


@dataclass(frozen=True, slots=True)
class Word:
    """A row of the table. `meaning` is Markdown."""

    name: str
    meaning: str

    @property
    def anchor(self) -> str:
        return f"word-{slug(self.name)}"

    @property
    def short(self) -> str:
        """The meaning as plain text."""
        return self.meaning.replace("`", "")


@lru_cache(maxsize=1)
def words() -> tuple[Word, ...]:
    """All of them, in the order of the alphabet."""
    text = (settings.BASE_DIR / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = [Word(row["name"], row["meaning"]) for row in _ROW.finditer(text)]
    kept = [word for word in rows if not _HEAD.match(word.name)]
    return tuple(sorted(kept, key=lambda word: word.name.casefold()))
