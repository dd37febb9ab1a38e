"""Maps the headings of a document to the seven standard sections."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cvdops.spec.codes import Notes
from cvdops.spec.document import Section, SectionKind
from cvdops.spec.kinds import LANGUAGES
from cvdops.spec.outline import HTML, Fence, Heading, Item
from cvdops.spec.slugs import quote

STANDARD = tuple(kind for kind in SectionKind if kind is not SectionKind.REFERENCE)
_BY_VALUE: dict[str | None, SectionKind] = {kind.value: kind for kind in SectionKind}
_EXACT = {kind.value: kind for kind in STANDARD} | {"procedure": SectionKind.PROCEDURES}
_NUMBER = re.compile(r"^\s*(?:\d+(?:\.\d+)*[.):]?|[ivx]+[.)])\s+", re.IGNORECASE)

_AROUND = re.compile(r"^\W+|\W+$")


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})", re.IGNORECASE)


_ASIDE = _words(
    r"appendix|appendices|references?\b|contacts?\b|metadata|navigation|change ?log|history|glossary|related"
    r"|resources\b|useful commands|cheat ?sheet|quick reference|templates?\b|metrics|schedules?\b|strategy"
    r"|objectives?\b|polic(?:y|ies)\b|communication|escalation|training|catalog|standards|examples?\b"
)
_ROLLBACK = _words(r"roll(?:ing)?[ -]?back|back[ -]?out|revert")
_BY_WORDS: tuple[tuple[re.Pattern[str], SectionKind], ...] = (
    (_ASIDE, SectionKind.REFERENCE),
    (
        _words(r"troubleshoot|(?:common|known) (?:issues|problems|errors)|faq\b"),
        SectionKind.TROUBLESHOOTING,
    ),
    (_ROLLBACK, SectionKind.ROLLBACK),
    (_words(r"pre-?requisites?|requirements|access\b|required"), SectionKind.PREREQUISITES),
    (
        _words(r"overview|introduction|purpose|scope|summary|about\b|background"),
        SectionKind.OVERVIEW,
    ),
    (_words(r"prepar|pre-?flight|pre-\w+|before\b"), SectionKind.PREPARATION),
    (_words(r"verif|validat|post-\w+|smoke test|acceptance"), SectionKind.VERIFICATION),
    (
        _words(
            r"procedures?\b|steps?\b|phases?\b|process\b|deploy|execut|instructions|recover|restor|backup"
            r"|respon[sd]|remediat|mitigat|contain|tuning|optimi[sz]|harden|audit|investigat"
            r"|diagnos|playbook|workflow|scaling|migrat|upgrad|install|assess|emergency|actions\b"
        ),
        SectionKind.PROCEDURES,
    ),
)


@dataclass(slots=True)
class Layout:
    """The kind of section that each heading (by its slug) lies in."""

    kinds: dict[str, SectionKind] = field(default_factory=dict)
    sections: tuple[Section, ...] = ()
    plain: bool = False  # the document has no front matter

    def kind(self, heading: Heading | None) -> SectionKind:
        return self.kinds[heading.slug] if heading else SectionKind.REFERENCE


def lay_out(items: Sequence[Item], forced: frozenset[str], plain: bool, notes: Notes) -> Layout:
    """`forced`: slugs of headings that the author declared as procedures; `plain`: no front matter."""
    headings = [item for item in items if isinstance(item, Heading)]
    layout = _lay_out(headings, forced, frozenset(), plain)
    if plain and SectionKind.PROCEDURES not in layout.kinds.values():
        adopted = _adopted(items, layout)
        layout = _lay_out(headings, forced, adopted, plain) if adopted else layout
    stated = {h.line for h in headings if h.section is not None}
    for heading in headings:
        if heading.section is not None and heading.section not in _BY_VALUE:
            known = ", ".join(SectionKind)
            message = f"There is no section {quote(heading.section)}."
            notes.add("RB310", heading.line, message, f"The sections are: {known}.")
    for section in layout.sections:
        if _guessed(section) and section.line not in stated:
            hint = f"Say so with {{section={section.kind}}} after the heading, or name another section."
            message = (
                f"{quote(section.heading)} is read as the section {section.kind.capitalize()}."
            )
            notes.add("RB302", section.line, message, hint)
    return layout


def _lay_out(
    headings: Sequence[Heading], forced: frozenset[str], adopted: frozenset[str], plain: bool
) -> Layout:
    layout = Layout(plain=plain)
    title = next((h for h in headings if h.level == 1), None)
    sections: list[Section] = []
    open_: list[tuple[int, SectionKind]] = []
    for heading in headings:
        while open_ and open_[-1][0] >= heading.level:
            open_.pop()
        around = open_[-1][1] if open_ else SectionKind.REFERENCE
        if heading.section in _BY_VALUE:
            kind = _BY_VALUE[heading.section]
        elif heading.slug in adopted:
            kind = SectionKind.PROCEDURES
        else:
            kind = _kind(heading, around, heading is title, forced)
        if heading is not title and (heading.level <= 2 or kind is not around):
            sections.append(Section(heading=heading.text, kind=kind, line=heading.line))
        open_.append((heading.level, kind))
        layout.kinds[heading.slug] = kind
    layout.sections = tuple(sections)
    return layout


def _kind(
    heading: Heading, around: SectionKind, is_title: bool, forced: frozenset[str]
) -> SectionKind:
    if is_title:
        return SectionKind.REFERENCE
    if (heading.slug in forced or "procedure" in heading.classes) and around in _MAY_DECLARE:
        return SectionKind.PROCEDURES
    text = _NUMBER.sub("", heading.text)
    exact = _exact(text)
    if heading.level <= 2:
        return exact or _by_words(text)
    return _nested(exact, text, around)


_MAY_DECLARE = frozenset({SectionKind.REFERENCE, SectionKind.PROCEDURES})


def _exact(heading: str) -> SectionKind | None:
    """The section with exactly this name, but for a number or a symbol around it."""
    return _EXACT.get(_AROUND.sub("", _NUMBER.sub("", heading)).lower())


def _by_words(text: str) -> SectionKind:
    return next((k for pattern, k in _BY_WORDS if pattern.search(text)), SectionKind.REFERENCE)


def _nested(exact: SectionKind | None, text: str, around: SectionKind) -> SectionKind:
    """A section of its own below another: *Prerequisites* in Overview, *Rollback* in Procedures."""
    if around in (SectionKind.OVERVIEW, SectionKind.PREREQUISITES) and exact:
        return exact
    if around is SectionKind.PROCEDURES:
        if exact in (SectionKind.PREREQUISITES, SectionKind.TROUBLESHOOTING):
            return exact
        if _ROLLBACK.search(text) and _by_words(text) is SectionKind.ROLLBACK:
            return SectionKind.ROLLBACK
    return around


def _adopted(items: Sequence[Item], layout: Layout) -> frozenset[str]:
    """In a plain document without any procedures section, what has runnable blocks is taken for one."""
    return frozenset(
        top.slug
        for top, item in _under_tops(items)
        if isinstance(item, Fence) and _adoptable(item, top, layout)
    )


def _under_tops(items: Sequence[Item]) -> Iterator[tuple[Heading, Item]]:
    """Each item with the heading of level 1 or 2 that it stands under; that heading itself too."""
    top: Heading | None = None
    for item in items:
        if isinstance(item, Heading) and item.level <= 2:
            top = item
        if top:
            yield top, item


def _adoptable(fence: Fence, top: Heading, layout: Layout) -> bool:
    language = re.split(r"[\s{]", fence.info, maxsplit=1)[0].lower()
    unread = layout.kinds[top.slug] is SectionKind.REFERENCE and not _ASIDE.search(top.text)
    return language in LANGUAGES and unread and fence.inside != HTML


def _guessed(section: Section) -> bool:
    exact = _exact(section.heading)
    return section.kind is not SectionKind.REFERENCE and exact is not section.kind


def unstated(items: Sequence[Item], layout: Layout) -> list[Heading]:
    """The headings whose section was guessed, or taken for Procedures for want of one."""
    lines = {section.line for section in layout.sections if _guessed(section)}
    headings = [item for item in items if isinstance(item, Heading) and item.section is None]
    title = next((h for h in headings if h.level == 1), None)
    if title and layout.kinds[title.slug] is SectionKind.PROCEDURES:
        lines.add(title.line)
    return [heading for heading in headings if heading.line in lines]
