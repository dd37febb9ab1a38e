"""The regular expressions that a variable may declare: only such as cannot be made to run for ever.

Python's engine backtracks, so the number of ways it could try is estimated from the pattern before it is
used: quantifiers multiply, a quantifier over something that itself has several ways is a power.
"""

import math
import re
from functools import lru_cache

_BUDGET = 7.3  # log10 of the ways that are tried at most: under a second
_BUDGET_OF_SEARCH = 7.6  # the same, where each character of a line is a place to begin
_MUST_MANAGE = 64  # characters that every accepted pattern can judge
_LONGEST = 300
_DEEPEST = 20
_QUANTIFIER = re.compile(r"(?:([*+?])|\{(\d{0,6})(,?)(\d{0,6})\})[?+]?")
_AMBIGUOUS = re.compile(r"\[\^?\[|--|&&|~~|\|\|")  # a set that Python may read another way one day


class PatternError(ValueError):
    """Why a pattern is refused, as a sentence."""


def check(pattern: str, *, searched: bool = False) -> float:
    """The ways in which it could be tried. Raises PatternError for what is no pattern, or could take
    for ever. `searched`: it may begin anywhere in a line."""
    if len(pattern) > _LONGEST:
        raise PatternError(f"The pattern is longer than {_LONGEST} characters.")
    ways = _ways(pattern, _MUST_MANAGE, searched)
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternError(f"The pattern is no regular expression: {error}.") from None
    if ways > (_BUDGET_OF_SEARCH if searched else _BUDGET):
        raise PatternError(
            "The pattern could take for ever: it repeats something that repeats or has alternatives."
            " Use bounded repetitions such as [a-z0-9-]{1,40}."
        )
    return 10**ways


@lru_cache(maxsize=512)
def longest_value(pattern: str, most: int, among: int = 1, *, searched: bool = False) -> int:
    """How many characters a value may have, at most `most`, to be judged in time together with the
    others `among` which it is. Raises PatternError."""
    budget = (_BUDGET_OF_SEARCH if searched else _BUDGET) - math.log10(max(among, 1))
    length = most
    while length > _MUST_MANAGE and _ways(pattern, length, searched) > budget:
        length = max(length // 2, _MUST_MANAGE)
    return length


def fits(pattern: str, value: str) -> bool:
    """Whether the pattern covers the whole value."""
    return re.search(rf"\A(?:{pattern})\Z", value) is not None


def _ways(pattern: str, length: int, searched: bool) -> float:
    """log10 of the number of ways in which a value of that length could be tried."""
    return _Estimate(pattern, length).alternatives(0) + (math.log10(length) if searched else 0)


class _Estimate:
    def __init__(self, pattern: str, length: int) -> None:
        self._text, self._length, self._at = pattern, length, 0

    def alternatives(self, depth: int) -> float:
        if depth > _DEEPEST:
            raise PatternError("The pattern is nested too deeply.")
        branches = [self._sequence(depth)]
        while self._text[self._at : self._at + 1] == "|":
            self._at += 1
            branches.append(self._sequence(depth))
        return max(branches) + math.log10(len(branches))

    def _sequence(self, depth: int) -> float:
        total = 0.0
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            total += self._quantified(self._atom(depth))
        return total

    def _atom(self, depth: int) -> float:
        character = self._text[self._at]
        if character == "(":
            return self._group(depth)
        if character == "[":
            self._at = self._class_end()
        elif character == "\\":
            if self._text[self._at + 1 : self._at + 2] in tuple("123456789"):
                raise PatternError("Back references are refused in patterns.")
            self._at += 2
        else:
            self._at += 1
        return 0.0

    def _group(self, depth: int) -> float:
        self._at += 1
        if self._text.startswith("?", self._at):
            if not self._text.startswith("?:", self._at):
                raise PatternError("Of the groups (?…) only (?:…) may be used in patterns.")
            self._at += 2
        ways = self.alternatives(depth + 1)
        self._at += 1
        return ways

    def _class_end(self) -> int:
        at = self._at + 1
        at += self._text.startswith("^", at)
        at += self._text.startswith("]", at)
        while at < len(self._text) and self._text[at] != "]":
            at += 2 if self._text[at] == "\\" else 1
        if _AMBIGUOUS.search(self._text[self._at : at]):
            raise PatternError("In a set [...] put \\ before [ and before doubled - & ~ |.")
        return at + 1

    def _quantified(self, ways: float) -> float:
        match = _QUANTIFIER.match(self._text, self._at)
        if not match or match[0].startswith("{}"):
            return ways
        self._at = match.end()
        least, most = self._bounds(match)
        return math.log10(max(most - least, 0) + 1) + ways * most

    def _bounds(self, match: re.Match[str]) -> tuple[int, int]:
        if match[1]:
            return (0, 1) if match[1] == "?" else (0, self._length)
        least = int(match[2] or 0)
        most = least if not match[3] else int(match[4]) if match[4] else self._length
        return min(least, self._length), min(most, self._length)
