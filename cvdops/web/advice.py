"""Which entries of a runbook's troubleshooting section fit a failed step. Pure."""

import re
from collections.abc import Iterable

from cvdops.spec.document import Troubleshooting

_WORD = re.compile(r"[a-z]{4,}")
_COMMON = frozenset(
    [
        "with",
        "from",
        "that",
        "this",
        "when",
        "then",
        "after",
        "before",
        "have",
        "been",
        "does",
        "into",
        "your",
        "will",
        "step",
        "steps",
        "error",
        "failed",
        "fails",
        "file",
        "check",
        "first",
        "there",
        "still",
        "more",
        "than",
        "what",
        "which",
        "were",
        "only",
        "because",
    ]
)
SHOWN = 3
ENOUGH = 2  # words in common


def matching(entries: Iterable[Troubleshooting], text: str) -> list[Troubleshooting]:
    """The entries that share the most words with what is known of the failure, the best first."""
    words = _words(text)
    scored = [(len(_words(f"{e.title} {e.symptoms}") & words), e) for e in entries]
    scored = [(score, entry) for score, entry in scored if score >= ENOUGH]
    return [entry for _, entry in sorted(scored, key=lambda pair: -pair[0])[:SHOWN]]


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower())) - _COMMON
