"""Finds the steps: runnable fences, gates, manual actions and checklists under their headings."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from cvdops.spec import blocks, meant, names
from cvdops.spec.attributes import Info, judge, read_info
from cvdops.spec.codes import Notes
from cvdops.spec.document import (
    Attributes,
    ChecklistItem,
    Child,
    Gate,
    Kind,
    Sample,
    SectionKind,
    Step,
)
from cvdops.spec.http import RequestError
from cvdops.spec.kinds import (
    COMMANDS,
    EXECUTED,
    LANGUAGES,
    OUTPUT_LANGUAGE,
    SHELLS,
    TEXT_LANGUAGES,
    WITH_CHECKLISTS,
    a_block,
)
from cvdops.spec.outline import HTML, Fence, Heading, Item, Paragraph, Tasks
from cvdops.spec.sections import Layout
from cvdops.spec.slugs import Names, quote, slug
from cvdops.spec.sql import StatementError

_EXPECTED = re.compile(
    r"\b(?:expected|sample|example)\s+(?:output|results?|responses?)\b|^\W*output\W*$",
    re.IGNORECASE,
)
_REQUEST = (
    "A request that cannot be sent",
    "It takes: METHOD address, headers, a blank line, the content.",
)
_STATEMENTS = (
    "SQL that cannot be run",
    "It takes statements alone: run the commands of a client in a bash block.",
)
_WRITE_BASH = "Write ```bash if bash can run it; else call it from a bash block."
_SAY = "Write ```bash if it is meant to run, ```output if it is what a step prints."
_WITH_BODY = (COMMANDS - {Kind.HTTP}) | {Kind.MANUAL}


@dataclass(slots=True)
class Draft:
    """A step whose title and id wait until all blocks under its heading are known."""

    heading: Heading | None
    kind: Kind
    section: SectionKind
    line: int
    prose: str
    wanted_id: str = ""
    language: str = ""
    written: tuple[str, ...] = ()
    body: str = ""
    attributes: Attributes = field(default_factory=Attributes)
    samples: list[Sample] = field(default_factory=list)
    tasks: Tasks | None = None
    gate: Gate | None = None
    child: Child | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A step and the heading it stands under."""

    step: Step
    heading: Heading | None


def find(items: Sequence[Item], lines: Sequence[str], layout: Layout, notes: Notes) -> list[Placed]:
    """The steps in the order of the document."""
    finder = _Finder(lines, layout, notes)
    for item in items:
        finder.see(item)
    finder.explain_shown()
    return _finish(finder.drafts, notes)


class _Finder:
    def __init__(self, lines: Sequence[str], layout: Layout, notes: Notes) -> None:
        self._lines, self._layout, self._notes = lines, layout, notes
        self.drafts: list[Draft] = []
        self._heading: Heading | None = None
        self._section = SectionKind.REFERENCE
        self._prose_from = 0  # index of the line where the next block's prose begins
        self._last: Draft | None = None  # whose output may follow
        self._text = ""  # the paragraph right before
        self._shown: Counter[str] = Counter()
        self._shown_at: dict[str, int] = {}

    def see(self, item: Item) -> None:
        if isinstance(item, Heading):
            self._heading, self._section = item, self._layout.kind(item)
            self._prose_from, self._last, self._text = item.end, None, item.text
        elif isinstance(item, Paragraph):
            self._text = item.text
        elif isinstance(item, Tasks):
            self._checklist(item)
        else:
            self._fence(item)
            self._text = ""

    def _prose(self, line: int) -> str:
        return "\n".join(self._lines[self._prose_from : line - 1]).strip()

    def _checklist(self, tasks: Tasks) -> None:
        if self._section in WITH_CHECKLISTS:
            prose = self._prose(tasks.line)
            draft = Draft(
                self._heading, Kind.CHECKLIST, self._section, tasks.line, prose, tasks=tasks
            )
            self.drafts.append(draft)
            self._prose_from, self._last = tasks.end, None

    def _fence(self, fence: Fence) -> None:
        if not fence.closed:
            self._notes.add(
                "RB004",
                fence.line,
                "This code block is never closed, so it swallows the rest of the document.",
                "Close it with a line of the same marks.",
            )
        language = re.split(r"[\s{]", fence.info, maxsplit=1)[0].lower()
        if language in LANGUAGES:
            self._runnable(fence, LANGUAGES[language])
        elif not self._sample(fence, language):
            self._last = None
            self._maybe_meant(fence, language)
        self._prose_from = max(self._prose_from, fence.end)

    def _sample(self, fence: Fence, language: str) -> bool:
        labelled = language in TEXT_LANGUAGES and _EXPECTED.search(self._text[-300:])
        if fence.inside == HTML or (language != OUTPUT_LANGUAGE and not labelled):
            return False
        if self._last:
            text = fence.body.removesuffix("\n")
            self._last.samples.append(Sample(text=text, line=fence.line))
        return True

    def _maybe_meant(self, fence: Fence, language: str) -> None:
        if self._section not in EXECUTED:
            return
        if language in meant.FOREIGN:
            message, hint = f"A {language} block is shown and not run.", _WRITE_BASH
        elif language in TEXT_LANGUAGES and meant.holds_commands(fence.body):
            what = f"A {language} block" if language else "A block without a language"
            message, hint = f"{what} holds what reads like commands; it is shown and not run.", _SAY
        else:
            return
        self._notes.add("RB212", fence.line, message, hint)

    def _runnable(self, fence: Fence, kind: Kind) -> None:
        self._last = None
        if kind is Kind.CONSOLE and _EXPECTED.search(self._text[-300:]) and "$ " not in fence.body:
            return
        if self._section not in EXECUTED:
            if self._section is SectionKind.REFERENCE:  # elsewhere nobody expects them to run
                self._count_shown()
            return
        if fence.inside:
            message = f"A block inside {fence.inside} is shown and not run."
            self._notes.add("RB212", fence.line, message, "Move it out if it is meant to run.")
            return
        info = read_info(fence.info, fence.line, self._notes)
        if info.values.pop("no-run", "") is None:
            return
        if draft := self._draft(fence, self._really(fence, kind), info):
            self.drafts.append(draft)
            self._last = draft

    def _really(self, fence: Fence, kind: Kind) -> Kind:
        """Many documents put prompts into their `bash` blocks too."""
        if kind not in (Kind.BASH, Kind.SH) or not fence.body.lstrip().startswith("$ "):
            return kind
        self._notes.add(
            "RB213",
            fence.line,
            "The commands after “$ ” are run; the other lines are read as their output.",
            "Write ```console if that is right, and remove the prompts if it is not.",
        )
        return Kind.CONSOLE

    def _draft(self, fence: Fence, kind: Kind, info: Info) -> Draft | None:
        prose = self._prose(fence.line)
        draft = Draft(self._heading, kind, self._section, fence.line, prose, body=fence.body)
        if not self._read_body(draft, fence, info.language):
            return None
        self._doubt(draft, fence)
        draft.language, draft.written = info.language, tuple(info.values)
        draft.attributes = judge(info, kind, fence.line, self._notes)
        draft.wanted_id = info.id
        if info.id and not names.STEP_ID.fullmatch(info.id):
            self._notes.add(
                "RB203",
                fence.line,
                f"The id {quote(info.id)} is wrong.",
                "It has to be letters, digits, hyphens and underscores, at most 80.",
            )
            draft.wanted_id = ""
        return draft

    def _doubt(self, draft: Draft, fence: Fence) -> None:
        """What can be read, and is hardly what was meant."""
        if draft.kind is Kind.CONSOLE and (found := meant.prompted(draft.samples)):
            message = f"{quote(found[1])} is read as output: only what follows “$ ” is a command."
            self._notes.add("RB218", found[0], message, "Put “$ ” before each command.")
        elif found := meant.prompt_in_script(draft.kind, fence.body):
            message = f"{quote(found[1])} begins with a prompt, and is run with it as it stands."
            line = fence.line + 1 + found[0]
            self._notes.add("RB219", line, message, "Remove the prompts and the output.")
        if draft.kind in _WITH_BODY and not draft.body.strip():
            message = f"{a_block(draft.kind).capitalize()} without anything in it does nothing."
            self._notes.add("RB217", fence.line, message, "Write what it is to do, or remove it.")

    def _read_body(self, draft: Draft, fence: Fence, language: str) -> bool:
        """Fills in what this kind keeps in its body; False if it is no step after all."""
        first = fence.line + 1
        if draft.kind is Kind.CONSOLE:
            read = blocks.transcript(fence.body, first)
            if read:
                draft.body, draft.samples = read[0], list(read[1])
            elif language != "shell":
                self._notes.add(
                    "RB211",
                    fence.line,
                    "A transcript without “$ ” before its commands is shown and not run.",
                    "Put “$ ” before each command, or write ```bash.",
                )
                return False
        elif draft.kind is Kind.APPROVAL:
            draft.gate = blocks.gate(fence.body, first, self._notes)
        elif draft.kind is Kind.RUNBOOK:
            draft.child = blocks.child(fence.body, first, self._notes)
        elif draft.kind is Kind.MANUAL:
            draft.body = blocks.instruction(fence.body, first, self._notes)
        elif draft.kind is Kind.HTTP:
            return self._read_whole(fence, blocks.why_not_request(fence.body), _REQUEST)
        elif draft.kind is Kind.SQL:
            return self._read_whole(fence, blocks.why_not_statements(fence.body), _STATEMENTS)
        if draft.kind in SHELLS or draft.kind is Kind.PYTHON:
            draft.samples.extend(blocks.commented_samples(fence.body, first))
        return True

    def _read_whole(
        self, fence: Fence, why: RequestError | StatementError | None, expected: tuple[str, str]
    ) -> bool:
        """A plain document may show a part, or an answer; what is annotated has to be right."""
        if why is None:
            return True
        what, hint = expected
        if self._layout.plain:
            message = f"{what} is shown and not run. {why}"
            self._notes.add("RB212", fence.line, message, f"{hint} Or write ```text.")
            return False
        self._notes.add("RB206", fence.line + 1 + why.line, str(why), hint)
        return True

    def _count_shown(self) -> None:
        key = self._heading.slug if self._heading else ""
        self._shown[key] += 1
        self._shown_at.setdefault(key, self._heading.line if self._heading else 1)

    def explain_shown(self) -> None:
        for key, count in self._shown.items():
            blocks_ = "1 block" if count == 1 else f"{count} blocks"
            self._notes.add(
                "RB303",
                self._shown_at[key],
                f"{blocks_} below this heading can be read but not run.",
                "Only Preparation, Procedures, Verification and Rollback are executed.",
            )


def _finish(drafts: list[Draft], notes: Notes) -> list[Placed]:
    """Gives every draft its title and its id, unique in the file."""
    taken = Names()
    for draft in drafts:
        if draft.wanted_id and not taken.take(draft.wanted_id):
            message = f"The id {quote(draft.wanted_id)} is used by an earlier block too."
            notes.add("RB204", draft.line, message, "Give each block an id of its own.")
            draft.wanted_id = ""
    totals = Counter(_place(draft) for draft in drafts)
    seen: Counter[str] = Counter()
    placed = []
    for draft in drafts:
        place = _place(draft)
        seen[place] += 1
        placed.append(Placed(_step(draft, seen[place], totals[place], taken), draft.heading))
    return placed


def _place(draft: Draft) -> str:
    return draft.heading.slug if draft.heading else ""


def _step(draft: Draft, number: int, total: int, taken: Names) -> Step:
    heading = draft.heading.text if draft.heading else ""
    base = slug(_place(draft))
    wanted = base if number == 1 else f"{base}-{number}"
    title = heading or "Step"
    return Step(
        id=draft.wanted_id or taken.unique(wanted),
        title=f"{title} ({number} of {total})" if total > 1 else title,
        kind=draft.kind,
        section=draft.section,
        line=draft.line,
        language=draft.language,
        body=draft.body,
        prose=draft.prose,
        attributes=draft.attributes,
        written=draft.written,
        samples=tuple(draft.samples),
        checklist=tuple(
            ChecklistItem(text=t.text, line=t.line)
            for t in (draft.tasks.items if draft.tasks else ())
        ),
        gate=draft.gate,
        child=draft.child,
    )
