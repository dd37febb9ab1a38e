"""Reads the `variables:` of the front matter."""

from collections.abc import Mapping

from cvdops.spec import patterns, values
from cvdops.spec.blocks import scalar_text
from cvdops.spec.codes import Notes
from cvdops.spec.document import COMMON_VARIABLES, Variable, VariableType
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


def names(metadata: Mapping[str, object]) -> frozenset[str]:
    """The names that the front matter declares, rightly or wrongly."""
    declared = metadata.get("variables")
    return frozenset(declared) if isinstance(declared, dict) else frozenset()


def read(declared: object, lines: dict[Path, int], notes: Notes) -> tuple[Variable, ...]:
    """The variables in their order; one that is declared wrongly is a diagnostic, and left out.

    `lines`: the line (from 0, below the opening fence) of each path in the front matter.
    """
    if declared is None:
        return ()
    line = lines.get(("variables",), 0) + 2
    if not isinstance(declared, dict):
        message = "variables: has to be names and their declarations."
        notes.add("RB106", line, message, "Write for example “LABEL: {default: manual}” below it.")
        return ()
    found = []
    ways = 0.0
    for name, spec in declared.items():
        reader = _Reader(name, spec, lines.get(("variables", name), 0) + 2, notes, ways)
        if variable := reader.read():
            found.append(variable)
        ways = reader.ways
    return tuple(found)


_BOUNDED = "Write a short pattern with bounded repetitions, such as [a-z0-9_-]{1,40}."
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
            self._bad(f"The variable {quote(self._name)} {why}.")
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
        self._doubt(variable)
        least, most = variable.minimum, variable.maximum
        if least is not None and most is not None and least > most:
            self._bad(f"The variable {self._name} has a minimum above its maximum.")
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

    def _doubt(self, variable: Variable) -> None:
        """What can be read, and is hardly what was meant."""
        if variable.name in COMMON_VARIABLES:
            message = f"{variable.name} comes from the environment and is declared here as well."
            hint = "Leave the declaration out: every runbook may use it without one."
            self._notes.add("RB111", self._line, message, hint)
        if variable.required and variable.default is not None:
            message = f"The variable {variable.name} is required and has a default."
            hint = "Leave out one of the two: with a default nobody has to give a value."
            self._notes.add("RB112", self._line, message, hint)

    def _bad(self, message: str, code: str = "RB106") -> None:
        self._good = False
        hint = _BOUNDED if code == "RB107" else f"A variable takes: {', '.join(sorted(_KEYS))}."
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
