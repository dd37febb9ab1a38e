"""Text as the words by which it is found. Pure: the same for what is stored and for what is asked."""

import re

LONGEST = 64  # characters; of a longer word the beginning counts

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
_WORD = re.compile(r"[^\W_]+")
_ASKED = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')


def words(text: str) -> list[str]:
    """The words of a text in their order: letters and digits, in lower case, without colours."""
    return [word[:LONGEST] for word in _WORD.findall(uncoloured(text).lower())]


def uncoloured(text: str) -> str:
    """The text without colours and other escape sequences."""
    return _ESCAPE.sub("", text)


def asked(text: str) -> str:
    """What somebody looks for, as `websearch_to_tsquery` takes it; empty if there is no word in it.

    `web-1.example.com` is found as these words in a row, `"in quotes"` too, `-word` must not be there,
    and `or` stands between what may be there instead.
    """
    found = []
    for minus, quoted, bare in _ASKED.findall(text):
        parts = words(quoted or bare)
        if bare.lower() == "or":
            found.append("or")
        elif len(parts) == 1 and parts != ["or"]:
            found.append(f"{minus}{parts[0]}")
        elif parts:
            found.append(f'{minus}"{" ".join(parts)}"')
    return " ".join(found) if any(part != "or" for part in found) else ""


def looked_for(text: str) -> frozenset[str]:
    """The words of it that may be there."""
    parts = (quoted or bare for minus, quoted, bare in _ASKED.findall(text) if not minus)
    return frozenset(word for part in parts if part.lower() != "or" for word in words(part))
