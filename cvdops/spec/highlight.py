"""Colours code by CSS classes; a fixed set of languages, and a budget for how much of a document."""

import re
from dataclasses import dataclass
from html import escape

from pygments import highlight as colour
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES

_LEXERS = {
    "approval": "yaml",
    "bash": "bash",
    "console": "console",
    "diff": "diff",
    "http": "http",
    "ini": "ini",
    "javascript": "javascript",
    "json": "json",
    "manual": "yaml",
    "nginx": "nginx",
    "py": "python",
    "python": "python",
    "python3": "python",
    "runbook": "yaml",
    "sh": "bash",
    "shell": "console",
    "shell-session": "console",
    "sql": "sql",
    "toml": "toml",
    "yaml": "yaml",
    "yml": "yaml",
}
LANGUAGES = frozenset({*_LEXERS, "output", "text"})
CLASSES = frozenset(name for name in STANDARD_TYPES.values() if name)
_FORMATTER = HtmlFormatter(nowrap=True)
_loaded: dict[str, Lexer] = {}


@dataclass(slots=True)
class Budget:
    """How many characters of one document are still coloured; the rest shows plain."""

    left: int = 150_000


def highlight(code: str, info: str, budget: Budget) -> tuple[str, str]:
    """The language that is shown for this info string, and the code as HTML."""
    language = re.split(r"[\s{]", info.strip(), maxsplit=1)[0].lower()
    language = language if language in LANGUAGES else "text"
    if language not in _LEXERS or len(code) > min(budget.left, 20_000):
        return language, escape(code)
    budget.left -= len(code)
    return language, colour(code, _lexer(_LEXERS[language]), _FORMATTER)


def _lexer(name: str) -> Lexer:
    if name not in _loaded:
        _loaded[name] = get_lexer_by_name(name, stripnl=False)
    return _loaded[name]
