"""Reads the `variables:` of the front matter."""

from cvdops.spec import patterns, values
from cvdops.spec.blocks import scalar_text
from cvdops.spec.codes import Notes
from cvdops.spec.document import Variable, VariableType
from cvdops.spec.frontmatter import Path
from cvdops.spec.names import why_not_variable
from cvdops.spec.slugs import quote

_KEYS = frozenset(
    [
        "type",
        "description",
        "default",
        "required",
        "pattern",
        "minimum",
        "maximum",
        "choices",
        "secret",
        "procedures",
    ]
)


def read(declared: object, lines: dict[Path, int], notes: Notes) -> tuple[Variable, ...]:
    """The variables in their order; one that is declared wrongly is a diagnostic, and left out.

    `lines`: the line (from 0, below the opening fence) of each path in the front matter.
    """
    if declared is None:
        return ()
    line = lines.get(("variables",), 0) + 2
    if not isinstance(declared, dict):
        notes.add("RB106", line, "variables: has to be names and their declarations.")
        return ()
    found = []
    ways = 0.0
    for name, spec in declared.items():
        reader = _Reader(name, spec, lines.get(("variables", name), 0) + 2, notes, ways)
        if variable := reader.read():
            found.append(variable)
        ways = reader.ways
    return tuple(found)


_MOST_WAYS = 1e8  # of trying the patterns of one document: a second


class _Reader:
    """Reads one declaration. A plain value instead of a mapping is the default."""

    def __init__(self, name: str, spec: object, line: int, notes: Notes, ways: float) -> None:
        self._name, self._line, self._notes = name, line, notes
        self.ways = ways  # in which the patterns so far could be tried
        self._spec = spec if isinstance(spec, dict) else {"default": spec}
        self._good = True

    def read(self) -> Variable | None:
        if why := why_not_variable(self._name):
            self._bad(f"The name of the variable {quote(self._name)} {why}.")
        for key in self._spec.keys() - _KEYS:
            self._bad(f"The variable {self._name} has a key {quote(key)} that means nothing here.")
        default = self._spec.get("default")
        variable = Variable(
            name=self._name,
            type=self._type(),
            description=self._text("description"),
            default=None if default is None else self._text("default"),
            required=self._flag("required"),
            pattern=self._pattern(),
            minimum=self._number("minimum"),
            maximum=self._number("maximum"),
            choices=self._texts("choices"),
            secret=self._flag("secret"),
            procedures=self._texts("procedures"),
        )
        self._judge(variable)
        return variable if self._good else None

    def _judge(self, variable: Variable) -> None:
        if (variable.type is VariableType.CHOICE) != bool(variable.choices):
            self._bad(
                f"The variable {self._name} needs both type: choice and choices: […], or none."
            )
        if variable.secret and variable.default:
            self._bad(f"The secret {self._name} has a default, which everybody can read here.")
        elif (
            self._good and variable.default and (why := values.why_not(variable, variable.default))
        ):
            self._bad(f"The default breaks the variable's own rule: {why}")

    def _bad(self, message: str, code: str = "RB106") -> None:
        self._good = False
        hint = "" if code == "RB107" else f"A variable takes: {', '.join(sorted(_KEYS))}."
        self._notes.add(code, self._line, message, hint)

    def _wrong(self, key: str, wanted: str) -> None:
        self._bad(f"The variable {self._name} has a wrong {key}: it has to be {wanted}.")

    def _type(self) -> VariableType:
        text = self._spec.get("type") or ("choice" if "choices" in self._spec else "string")
        try:
            return VariableType(str(text))
        except ValueError:
            self._wrong("type", f"one of {', '.join(VariableType)}")
            return VariableType.STRING

    def _text(self, key: str) -> str:
        value = self._spec.get(key)
        if isinstance(value, dict | list):
            self._wrong(key, "a plain value")
            return ""
        return scalar_text(value)

    def _texts(self, key: str) -> tuple[str, ...]:
        value = self._spec.get(key)
        items = value if isinstance(value, list) else [] if value is None else [value]
        if any(isinstance(item, dict | list) for item in items):
            self._wrong(key, "a list of plain values")
            return ()
        return tuple(scalar_text(item) for item in items)

    def _flag(self, key: str) -> bool:
        value = self._spec.get(key, False)
        if not isinstance(value, bool):
            self._wrong(key, "true or false")
        return value is True

    def _number(self, key: str) -> int | None:
        value = self._spec.get(key)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            self._wrong(key, "a whole number")
            return None
        return value

    def _pattern(self) -> str:
        pattern = self._text("pattern")
        if not pattern:
            return ""
        try:
            self.ways += patterns.check(pattern)
        except patterns.PatternError as error:
            self._bad(f"The variable {self._name}: {error}", "RB107")
            return ""
        if self.ways > _MOST_WAYS:
            self._bad(
                f"The variable {self._name}: the patterns of all variables together take too long.",
                "RB107",
            )
        return pattern
