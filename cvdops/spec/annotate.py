"""A document in the annotated form: with front matter, ids and sections as far as they can be known."""

import re
from collections.abc import Iterator

from cvdops.spec import header, sections
from cvdops.spec.attributes import LINES, read_info
from cvdops.spec.codes import Notes
from cvdops.spec.document import Kind, Runbook, SectionKind
from cvdops.spec.outline import Fence, Heading, split_heading
from cvdops.spec.parser import Anatomy, dissect, parse, read_lines

_ATX = re.compile(r"( {0,3}#{1,6}[ \t]+)(.*?)((?:[ \t]+#+)?[ \t]*)")
_MARKS = re.compile(r"`{3,}|~{3,}")

Change = tuple[int, str]  # the index of a line, and its new text


def annotate(runbook: Runbook, source: str) -> str:
    """The document with what was understood written into it; parsed again it has the same steps.

    Lines end with a line feed. A document that is too large, or would become so, stays as it is.
    """
    lines = read_lines(source, Notes())
    if lines is None:
        return source
    anatomy = dissect(lines, Notes())
    for number, text in (*_headings(anatomy), *_fences(anatomy)):
        lines[number] = text
    written = header.write(runbook, anatomy, lines[: anatomy.taken])
    text = "\n".join([*written, *lines[anatomy.taken :]]) + "\n"
    again = parse(text)
    too_large = any(d.code == "RB001" for d in again.diagnostics)
    return source if too_large or _identity(again) != _identity(runbook) else text


def _identity(runbook: Runbook) -> list[tuple[str, Kind, SectionKind, str]]:
    """What a change of the text may never change."""
    return [(step.id, step.kind, step.section, step.body) for step in runbook.steps]


def _headings(anatomy: Anatomy) -> Iterator[Change]:
    """Says in each heading the section that it was only taken for."""
    for heading in sections.unstated(anatomy.items, anatomy.layout):
        kind = anatomy.layout.kind(heading)
        number = _last_line(heading, anatomy)
        yield number, _with_section(anatomy.lines[number], kind)


def _last_line(heading: Heading, anatomy: Anatomy) -> int:
    """The index of the line where its text ends: above the underline, if it has one."""
    first = heading.line - 1
    return first if _ATX.fullmatch(anatomy.lines[first]) else max(heading.end - 2, first)


def _with_section(line: str, kind: SectionKind) -> str:
    match = _ATX.fullmatch(line)
    before, text, after = (match[1], match[2], match[3]) if match else ("", line.rstrip(), "")
    if split_heading(text)[0] == text:
        return f"{before}{text} {{section={kind}}}{after}"
    return f"{before}{text.rstrip().removesuffix('}').rstrip()} section={kind}}}{after}"


def _fences(anatomy: Anatomy) -> Iterator[Change]:
    """Gives each block the id that its step has."""
    infos = {item.line: item.info for item in anatomy.items if isinstance(item, Fence)}
    for step in (placed.step for placed in anatomy.placed):
        if step.kind is Kind.CHECKLIST:
            continue
        info = infos[step.line]
        if not read_info(info, step.line, Notes()).id:
            number = step.line - 1
            yield number, _with_id(anatomy.lines[number], info, step.id)


def _with_id(line: str, info: str, step_id: str) -> str:
    mark = _MARKS.search(line)
    if not mark:
        return line
    language, brace, attributes = info.partition("{")
    words = language.split()
    read = brace and len(words) == 1 and not LINES.fullmatch(brace + attributes)
    kept = f" {attributes.strip()}" if read else "}"
    return f"{line[: mark.end()]}{words[0]} {{#{step_id}{kept}"
