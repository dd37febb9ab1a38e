"""The text of a document as numbered lines, and what was found in each. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from cvdops.lib.visible import visible
from cvdops.spec.codes import Notes
from cvdops.spec.document import Diagnostic, Severity
from cvdops.spec.parser import MAX_BYTES, MAX_LINES, read_lines

_GRAVEST = (Severity.ERROR, Severity.WARNING, Severity.INFO)


def lines_of(text: str) -> list[str]:
    """The lines as the parser counts them; of a document that is larger than it may be, the first."""
    lines = read_lines(text, Notes())
    return text[:MAX_BYTES].split("\n")[:MAX_LINES] if lines is None else lines


def shown(lines: Iterable[str]) -> list[str]:
    """The same lines, with everything visible that would change how they look."""
    return visible("\n".join(lines)).split("\n")


def numbered(text: str, found: Iterable[Diagnostic] = ()) -> SafeString:
    """The document as list items, each with an anchor; below a line what was found in it."""
    marks: Mapping[int, list[Diagnostic]] = _by_line(found)
    items = [
        _item(number, line, marks.get(number, []))
        for number, line in enumerate(shown(lines_of(text)), start=1)
    ]
    return mark_safe("".join(items))  # noqa: S308 — made of escaped text and of tags written here


def _by_line(found: Iterable[Diagnostic]) -> dict[int, list[Diagnostic]]:
    lines: dict[int, list[Diagnostic]] = defaultdict(list)
    for diagnostic in found:
        lines[diagnostic.line].append(diagnostic)
    return lines


def _item(number: int, line: str, found: list[Diagnostic]) -> str:
    link = f'<a href="#L{number}" data-n="{number}" tabindex="-1" aria-label="Line {number}"></a>'
    if not found:
        return f'<li id="L{number}">{link}<code>{escape(line)}</code></li>'
    grave = next(s for s in _GRAVEST if any(d.severity is s for d in found))
    why = "".join(
        f'<span class="why {d.severity}"><b>{d.code}</b> {escape(visible(d.message))}</span>'
        for d in found
    )
    return f'<li id="L{number}" class="{grave}">{link}<code>{escape(line)}</code>{why}</li>'
