"""Which variables can hold nothing that means something to SQL or to an address, whatever is given."""

import re

from cvdops.spec.document import Variable, VariableType

_SAFE_TYPES = frozenset({VariableType.INTEGER, VariableType.BOOLEAN, VariableType.VERSION})


def _plain(more: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What a harmless value is, and what a pattern is that allows no others: letters, digits, dots,
    hyphens and underscores, alone or in sets, with any quantifiers, groups and choices."""
    part = rf"[A-Za-z0-9_.{more}]"
    in_set = rf"(?:[a-z]-[a-z]|[A-Z]-[A-Z]|[0-9]-[0-9]|{part}|\\[dw.-]|-)+"
    alone = rf"[A-Za-z0-9_{more}-]|\\[dw.-]|\(\?:|[()|?*+]|\{{\d*,?\d*\}}"
    return re.compile(rf"(?:{part}|-)*"), re.compile(rf"(?:\[{in_set}\]|{alone})+")


_PLAIN, _PLAIN_PATH = _plain(""), _plain("/")


def is_harmless(variable: Variable, *, slashes: bool) -> bool:
    """Only letters, digits, dots, hyphens and underscores can be in its values, with `slashes` / too."""
    value, pattern = _PLAIN_PATH if slashes else _PLAIN
    if variable.type in _SAFE_TYPES:
        return True
    if variable.choices:
        return all(value.fullmatch(choice) for choice in variable.choices)
    return bool(variable.pattern) and bool(pattern.fullmatch(variable.pattern))
