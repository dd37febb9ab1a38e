"""The language of `when=`: `==`, `!=`, `in`, `and`, `or`, `not` over variables, and nothing else.

The left side of a comparison is the name of a variable, the right side is a value, quoted or bare:
`ENVIRONMENT == production and not VERSION in (v1, "v 2")`. A name alone is true unless its value is
empty, `false` or `0`. A variable that is not set is empty.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""\s*(?:(?P<op>==|!=|[()\[\],])|"(?P<double>[^"]*)"|'(?P<single>[^']*)'"""
    r"""|(?P<word>[^\s"'()\[\],=!<>&|;$`\\]+))"""
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEYWORDS = frozenset({"and", "or", "not", "in"})
_FALSE = frozenset({"", "false", "0"})
_MAX_LENGTH = 1000
_MAX_DEPTH = 20

Test = Callable[[Mapping[str, str]], bool]


class ConditionError(ValueError):
    """Why a condition cannot be evaluated; `position` counts characters from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at character {position + 1})")
        self.position = position


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that was understood."""

    test: Test
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    kind: str  # op | word | text | end
    position: int


def parse_condition(text: str) -> Condition:
    """Raises ConditionError where the text is no condition."""
    parser = _Parser(text)
    test = parser.disjunction()
    parser.finish()
    return Condition(test, frozenset(parser.names))


def evaluate(text: str, variables: Mapping[str, str]) -> bool:
    """Whether the condition holds; an empty one always does. Raises ConditionError."""
    return not text.strip() or parse_condition(text).test(variables)


def _tokens(text: str) -> list[_Token]:
    if len(text) > _MAX_LENGTH:
        raise ConditionError(f"The condition is longer than {_MAX_LENGTH} characters", _MAX_LENGTH)
    found, position, end = [], 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if not match:
            raise ConditionError(f"{text[position:].lstrip()[:1]!r} does not belong here", position)
        group = match.lastgroup or ""
        kind = group if group in ("op", "word") else "text"
        found.append(_Token(match[group], kind, match.start(group)))
        position = match.end()
    found.append(_Token("", "end", end))
    return found


class _Parser:
    """Recursive descent; the deepest nesting is bounded, so that no text can exhaust the stack."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0
        self.names: set[str] = set()

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self, *texts: str) -> bool:
        if self._next.kind in ("op", "word") and self._next.text in texts:
            self._at += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise ConditionError(f"{text!r} is missing", self._next.position)

    def finish(self) -> None:
        if self._next.kind != "end":
            raise ConditionError(
                f"{self._next.text!r} does not belong here; join with “and” or “or”",
                self._next.position,
            )

    def disjunction(self) -> Test:
        tests = [self._conjunction()]
        while self._take("or"):
            tests.append(self._conjunction())
        return lambda variables: any(test(variables) for test in tests)

    def _conjunction(self) -> Test:
        tests = [self._negation()]
        while self._take("and"):
            tests.append(self._negation())
        return lambda variables: all(test(variables) for test in tests)

    def _negation(self) -> Test:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ConditionError("The condition is nested too deeply", self._next.position)
        test = self._group()
        self._depth -= 1
        return test

    def _group(self) -> Test:
        if self._take("not"):
            inner = self._negation()
            return lambda variables: not inner(variables)
        if self._take("("):
            test = self.disjunction()
            self._expect(")")
            return test
        return self._comparison()

    def _comparison(self) -> Test:
        name = self._name()
        if self._take("=="):
            value = self._value()
            return lambda variables: variables.get(name, "") == value
        if self._take("!="):
            value = self._value()
            return lambda variables: variables.get(name, "") != value
        if self._take("in"):
            values = self._list()
            return lambda variables: variables.get(name, "") in values
        if self._take("not"):
            self._expect("in")
            values = self._list()
            return lambda variables: variables.get(name, "") not in values
        return lambda variables: variables.get(name, "").lower() not in _FALSE

    def _name(self) -> str:
        token = self._next
        if token.kind != "word" or token.text in _KEYWORDS or not _NAME.fullmatch(token.text):
            raise ConditionError("The name of a variable is missing", token.position)
        self._at += 1
        self.names.add(token.text)
        return token.text

    def _value(self) -> str:
        token = self._next
        if token.kind not in ("word", "text"):
            raise ConditionError("A value is missing", token.position)
        self._at += 1
        return token.text

    def _list(self) -> frozenset[str]:
        closing = {"[": "]", "(": ")"}.get(self._next.text if self._next.kind == "op" else "")
        if not closing:
            raise ConditionError("A list such as (a, b) is missing", self._next.position)
        self._at += 1
        values = [self._value()]
        while self._take(","):
            values.append(self._value())
        self._expect(closing)
        return frozenset(values)
