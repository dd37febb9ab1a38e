"""The procedures that the front matter declares."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from cvdops.spec.codes import Notes
from cvdops.spec.document import Procedure, SectionKind
from cvdops.spec.metadata import Metadata
from cvdops.spec.sections import Layout
from cvdops.spec.slugs import SLUG, quote
from cvdops.spec.steps import Placed
from cvdops.spec.tree import Node, walk

_KEYS = ("title", "sections", "steps", "preparation", "verification")
_SHOWN = 40  # names that a hint lists


def judge_form(metadata: Metadata, notes: Notes) -> None:
    """`procedures:` itself is a mapping, or a list of headings."""
    declared = metadata.values.get("procedures")
    if declared is not None and not isinstance(declared, dict | list):
        message = f"procedures: {quote(declared)} is wrong."
        hint = (
            "It has to be keys with their titles and sections, such as “restart: {title: Restart}”."
        )
        notes.add("RB104", metadata.line("procedures"), message, hint)


def headings(metadata: Metadata) -> frozenset[str]:
    """The slugs of the headings that the front matter's `procedures:` names."""
    return frozenset(
        name for key, spec in _declarations(metadata) for name in _names(spec, "sections", (key,))
    )


def read(
    root: Node, placed: Sequence[Placed], layout: Layout, metadata: Metadata, notes: Notes
) -> Iterator[Procedure]:
    """In their order there; what they name and is not there becomes a diagnostic."""
    reader = _Reader(root, placed, layout, notes)
    for key, spec in _declarations(metadata):
        line = metadata.line("procedures", key)
        _judge(key, metadata, notes)
        if SLUG.fullmatch(key):
            yield reader.procedure(key, spec, line)
        else:
            message = f"The procedure's key {quote(key)} is no slug."
            hint = "Write lower-case letters, digits and hyphens, such as back-up."
            notes.add("RB104", line, message, hint)


def _judge(key: str, metadata: Metadata, notes: Notes) -> None:
    """What a procedure's declaration holds beside what it may, or in another form."""
    declared = metadata.values["procedures"]
    spec = declared.get(key) if isinstance(declared, dict) else None
    line = metadata.line("procedures", key)
    if spec is None:
        return
    if not isinstance(spec, dict):
        message = f"The procedure {quote(key)} is {quote(spec)}, which says nothing."
        notes.add("RB104", line, message, f"Write “{key}: {{title: …, sections: [{key}]}}”.")
        return
    for name, value in spec.items():
        at = metadata.line("procedures", key, name)
        if name not in _KEYS:
            message = f"The procedure {quote(key)} has a key {quote(name)} that means nothing here."
            notes.add("RB104", at, message, f"A procedure takes: {', '.join(_KEYS)}.")
        elif value is not None and (wanted := _why_not(name, value)):
            message = f"{name}: {quote(value)} of the procedure {quote(key)} is wrong."
            notes.add("RB104", at, message, f"It has to be {wanted}.")


def _why_not(name: str, value: object) -> str:
    if name == "title":
        return "a text" if isinstance(value, dict | list) else ""
    words = isinstance(value, list) and not any(isinstance(v, dict | list) for v in value)
    return "" if words else "a list of ids, such as [stop-it, start-it]"


def _declarations(metadata: Metadata) -> list[tuple[str, dict[str, object]]]:
    declared = metadata.values.get("procedures")
    if isinstance(declared, list):
        declared = {str(name): None for name in declared}
    if not isinstance(declared, dict):
        return []
    return [(str(key), spec if isinstance(spec, dict) else {}) for key, spec in declared.items()]


def _names(spec: dict[str, object], key: str, default: tuple[str, ...]) -> tuple[str, ...]:
    value = spec.get(key)
    if isinstance(value, str):
        return (value,)
    return tuple(str(v).lstrip("#") for v in value) if isinstance(value, list) else default


class _Reader:
    def __init__(self, root: Node, placed: Sequence[Placed], layout: Layout, notes: Notes) -> None:
        self._kinds, self._notes = layout.kinds, notes
        self._nodes = {n.heading.slug: n for n in walk(root) if n.heading}
        self._below: dict[str, list[str]] = {}  # the steps below a heading
        self._order = {one.step.id: number for number, one in enumerate(placed)}
        self._sections: dict[SectionKind, dict[str, None]] = defaultdict(dict)
        for one in placed:
            self._sections[one.step.section][one.step.id] = None

    def procedure(self, key: str, spec: dict[str, object], line: int) -> Procedure:
        heading = self._nodes[key].heading if key in self._nodes else None
        title = spec.get("title") or (heading.text if heading else key)
        return Procedure(
            key=key,
            title=str(title),
            steps=self._steps(key, spec, line),
            preparation=self._around(spec, SectionKind.PREPARATION, line),
            verification=self._around(spec, SectionKind.VERIFICATION, line),
        )

    def _steps(self, key: str, spec: dict[str, object], line: int) -> tuple[str, ...]:
        """The steps below its headings; of those the ones that `steps:` names, if it is there."""
        steps: dict[str, None] = {}
        for name in dict.fromkeys(_names(spec, "sections", (key,))):
            if self._kinds.get(name) is SectionKind.PROCEDURES:
                steps |= dict.fromkeys(self._steps_below(name))
            else:
                self._no_heading(key, name, line)
        if "steps" not in spec:
            return self._sorted(steps)
        wanted = _names(spec, "steps", ())
        whose = "The sections of the procedure have no step"
        self._complain(wanted, steps, f"{whose} {{}}.", "They have", line)
        return self._sorted(name for name in dict.fromkeys(wanted) if name in steps)

    def _steps_below(self, name: str) -> list[str]:
        if name not in self._below:
            self._below[name] = self._nodes[name].steps()
        return self._below[name]

    def _around(
        self, spec: dict[str, object], section: SectionKind, line: int
    ) -> tuple[str, ...] | None:
        if section.value not in spec:
            return None
        known = self._sections[section]
        wanted = _names(spec, section.value, ())
        self._complain(wanted, known, f"{section.capitalize()} has no step {{}}.", "It has", line)
        return self._sorted(name for name in dict.fromkeys(wanted) if name in known)

    def _sorted(self, steps: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(steps, key=self._order.__getitem__))

    def _complain(
        self, wanted: Sequence[str], known: dict[str, None], message: str, has: str, line: int
    ) -> None:
        for name in wanted:
            if name not in known:
                hint = f"{has}: {_listed(known)}."
                self._notes.add("RB308", line, message.format(quote(name)), hint)

    def _no_heading(self, key: str, name: str, line: int) -> None:
        kind = self._kinds.get(name)
        there = f"lies in {kind.capitalize()}" if kind else "does not exist"
        known = (name for name in self._nodes if self._kinds[name] is SectionKind.PROCEDURES)
        self._notes.add(
            "RB304",
            line,
            f"The procedure {quote(key)} names the heading {quote(name)}, which {there}.",
            f"The headings of Procedures are: {_listed(known)}.",
        )


def _listed(names: Iterable[str]) -> str:
    """The first of them."""
    return ", ".join(islice(names, _SHOWN))[:400] or "none"
