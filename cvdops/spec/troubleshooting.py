"""The entries of *Troubleshooting*: a heading with its symptoms and its resolution."""

import re
from collections.abc import Sequence

from cvdops.spec.document import SectionKind, Troubleshooting
from cvdops.spec.outline import Heading, Item
from cvdops.spec.sections import Layout

_LABEL = re.compile(
    r"\s*(?:[-*]\s+)?(?:\*\*|#{3,6}\s+|__)?\s*"
    r"(?P<label>symptoms?|resolutions?|solutions?|fix(?:es)?|causes?|root cause|diagnosis|prevention)"
    r"\s*(?::\s*(?:\*\*|__)?|(?:\*\*|__)\s*:?|$)(?P<rest>.*)",
    re.IGNORECASE,
)
_FENCE = re.compile(r"\s*(`{3,}|~{3,})")


def find(
    items: Sequence[Item], lines: Sequence[str], layout: Layout
) -> tuple[Troubleshooting, ...]:
    """Those headings of level 3 or more that have both parts. Its commands never run by themselves."""
    headings = [h for h in items if isinstance(h, Heading) and not _is_label(h)]
    ends = [heading.line - 1 for heading in headings[1:]] + [len(lines)]
    entries = []
    for heading, end in zip(headings, ends, strict=True) if headings else ():
        if layout.kind(heading) is not SectionKind.TROUBLESHOOTING:
            continue
        parts = _parts(lines[heading.end : end])
        symptoms, resolution = parts.get("symptoms", ""), parts.get("resolution", "")
        if symptoms and resolution:
            entries.append(
                Troubleshooting(
                    title=heading.text, symptoms=symptoms, resolution=resolution, line=heading.line
                )
            )
    return tuple(entries)


def _is_label(heading: Heading) -> bool:
    return heading.level >= 4 and bool(_LABEL.fullmatch(heading.text))


def _parts(lines: Sequence[str]) -> dict[str, str]:
    """The text below each label; a label inside a fence is none."""
    parts: dict[str, list[str]] = {}
    current, fence = "", ""
    for line in lines:
        mark = _FENCE.match(line)
        if mark:
            fence = "" if fence and line.strip().startswith(fence) else fence or mark[1]
        label = None if fence or mark else _LABEL.fullmatch(line)
        if label:
            current = _part(label["label"].lower())
            line = label["rest"]
        parts.setdefault(current, []).append(line)
    return {name: "\n".join(text).strip() for name, text in parts.items()}


def _part(label: str) -> str:
    if label.startswith("symptom"):
        return "symptoms"
    return "resolution" if label.startswith(("resol", "solut", "fix")) else label
