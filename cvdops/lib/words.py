"""Text as it is searched. Pure: the same for what is stored and for what is asked."""

import re
from functools import lru_cache

LONGEST = 64  # characters; of a longer word the beginning is in the index

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
_GAP = re.compile(r"(?:[^\S\n]|\x00){2,}|[^\S\n ]|\x00")  # other than one space
_INNER = re.compile(r"[^\W_]")  # of a word
_BEGIN, _END = r"(?<![^\W_])", r"(?![^\W_])"
_WORD = re.compile(r"[^\W_]+|\S|\n")
_JOINED = re.compile(r"(?= ([^\W_]+|[^\w\s]) ([^\w\s]|_) ([^\W_]+) )")
_ASKED = re.compile(r'(?<!\S)"([^"]*[^"\s][^"]*)"(?!\S)|(\S+)')


def spelled(text: str) -> str:
    """The text without case and colours, with a space around each of its words and signs.

    A word is a run of letters and digits; each other character stands for itself, and where there was a
    gap, there are two spaces. So `0.22` is a part of what is made of `10.0.22:80`, and not of `10.0.222`.
    """
    return _WORD.sub(r" \g<0>", folded(text)) + " "


def folded(text: str) -> str:
    """The text without case and colours, with one space for each gap."""
    return _GAP.sub(" ", uncoloured(text).casefold())


@lru_cache(maxsize=256)
def finder(spelt: str) -> re.Pattern[str]:
    """Finds in folded text what it would hold if both were spelled, which takes many times as long."""
    # one space stands before each sign and word, a second one where there was a gap
    text = re.escape(spelt.strip(" ")).replace(r"\ \ ", "\0").replace(r"\ ", "").replace("\0", " ")
    whole_first, whole_last = (_INNER.fullmatch(spelt.strip(" ")[end]) for end in (0, -1))
    return re.compile((_BEGIN if whole_first else "") + text + (_END if whole_last else ""))


def words(spelt: str) -> set[str]:
    """What of it is in the index: its words and signs, and each word with the sign and what is before it."""
    joined = map("".join, _JOINED.findall(spelt))  # far fewer pieces have all of an address
    return {word[:LONGEST] for word in (*spelt.split(), *joined)}


def uncoloured(text: str) -> str:
    """The text without colours and other escape sequences."""
    return _ESCAPE.sub("", text)


def asked(text: str) -> list[str]:
    """What somebody looks for, spelled: each word as it is typed, and each text in double quotes as one."""
    return [spelled((quoted or bare).strip()) for quoted, bare in _ASKED.findall(text)]
