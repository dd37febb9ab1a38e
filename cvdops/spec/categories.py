"""The category that a document names: the one place where its words become a column of the matrix."""

import re

from cvdops.spec.document import Category
from cvdops.spec.slugs import slug

NAMES = ", ".join(Category)
_WORDS = {
    Category.DEPLOYMENT: r"deploy|releas|roll-?out|upgrad",
    Category.BACKUP_RESTORE: r"back-?up|restor|recover",
    Category.PERFORMANCE: r"performan|tuning|scaling|optimi[sz]",
    Category.SECURITY: r"securit|harden|audit|certificate",
    Category.INCIDENTS: r"inciden|emergenc|outage|on-?call",
}


def named(value: object) -> Category | None:
    """The category of this name, however it is capitalised or joined."""
    name = slug(str(value), "") if isinstance(value, str) else ""
    return Category(name) if name in tuple(Category) else None


def by_words(text: object) -> Category | None:
    """The only one whose words are in the text."""
    words = text if isinstance(text, str) else ""
    found = [c for c, pattern in _WORDS.items() if re.search(pattern, words, re.IGNORECASE)]
    return found[0] if len(found) == 1 else None
