"""The rules about the parts of a document: its seven sections, its category, the letters of its headings."""

import re
import unicodedata
from collections.abc import Iterator

from cvdops.spec import categories
from cvdops.spec.codes import diagnostic
from cvdops.spec.document import Diagnostic
from cvdops.spec.rules.subject import Subject
from cvdops.spec.sections import STANDARD
from cvdops.spec.slugs import quote

NO_CATEGORY = "The document names no category, so nobody has the right to start it."
_WORD = re.compile(r"[^\W\d_]{2,}")
_ALIKE = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"})  # look like each other


def missing_section(subject: Subject) -> Iterator[Diagnostic]:
    present = {section.kind for section in subject.runbook.sections}
    if names := [kind.capitalize() for kind in STANDARD if kind not in present]:
        *most, last = names
        which = f"sections {', '.join(most)} and {last} are" if most else f"section {last} is"
        hint = f"Add {', '.join(f'“## {name}”' for name in names)}."
        yield diagnostic("RB301", 1, f"The {which} missing.", hint)


def no_category(subject: Subject) -> Iterator[Diagnostic]:
    """One that is there and unknown was found by the parser."""
    if subject.runbook.procedures and not subject.runbook.metadata.get("category"):
        hint = (
            "Write category: in the front matter, or “- **Category**: …” below a heading Metadata:"
            f" one of {categories.NAMES}."
        )
        yield diagnostic("RB109", 1, NO_CATEGORY, hint)


def mixed_letters(subject: Subject) -> Iterator[Diagnostic]:
    """Each word of a heading once, if its letters come from alphabets that look alike."""
    runbook = subject.runbook
    titles = (*(p.title for p in runbook.procedures), *(s.title for s in runbook.steps))
    texts = dict.fromkeys((runbook.title, *(s.heading for s in runbook.sections), *titles))
    words = dict.fromkeys(w for text in texts if not text.isascii() for w in _WORD.findall(text))
    for word in filter(_is_mixed, words):
        yield diagnostic(
            "RB312",
            subject.heading_line(word),
            f"The word {quote(word)} mixes letters of several alphabets that look alike.",
            "Type the word anew with the keyboard of one language.",
        )


def _is_mixed(word: str) -> bool:
    return not word.isascii() and len(_ALIKE & {_alphabet(letter) for letter in word}) > 1


def _alphabet(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]
