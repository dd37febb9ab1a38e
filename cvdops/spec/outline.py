"""The blocks of a Markdown document, with their lines: headings, fences, checklists, paragraphs.

Only the block structure is parsed, without inline markup and link definitions: that keeps it linear on
hostile input. HTML blocks are recognised, so that a fence inside a comment is no fence.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

from cvdops.spec import first_characters
from cvdops.spec.slugs import Names, slug

_BLOCKS = MarkdownIt("commonmark", {"html": True})
_BLOCKS.disable(["reference"])
_BLOCKS.core.ruler.disable(["inline", "text_join"])
first_characters.install(_BLOCKS)
_INLINE = MarkdownIt("commonmark", {"html": False})

# Only what reads as attributes: a heading may well end with ${NAME} or {braces}.
_HEADING_ATTRIBUTES = re.compile(
    r"\s*(?<!\$)\{\s*((?:(?:[#.][\w-]+|section=[\w-]*)(?:\s+|(?=\})))+)\}\s*$"
)
_TASK = re.compile(r"\[[ xX]\]\s+(\S.*)", re.DOTALL)
_MARKUP = re.compile(r"[*`\[<&!\\]|\b_|_\b")
HTML = "HTML"
_FENCE = re.compile(r"[ \t]*(?:`{3,}|~{3,})[ \t]*(\w[^`\n]{0,200})")
_LONGEST_HEADING = 300
_MOST_HEADINGS = 4_000


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    text: str
    slug: str
    classes: frozenset[str]
    section: str | None  # what section= says
    line: int
    end: int


@dataclass(frozen=True, slots=True)
class HeadingAttributes:
    """The `{#id .class section=kind}` at the end of a heading."""

    id: str = ""
    classes: frozenset[str] = frozenset()
    section: str | None = None


@dataclass(frozen=True, slots=True)
class Fence:
    """A block of code between fences, or by its indentation: then without any words."""

    info: str
    body: str
    line: int
    end: int
    closed: bool
    inside: str = ""  # what it stands in that keeps it from running, such as “a quotation”


@dataclass(frozen=True, slots=True)
class Task:
    text: str
    line: int


@dataclass(slots=True)
class Tasks:
    """The task items of one outermost list."""

    line: int
    end: int
    items: list[Task] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str
    line: int
    end: int
    item: bool  # of a list


Item = Heading | Fence | Tasks | Paragraph


def read(lines: Sequence[str]) -> list[Item]:
    """The items of the document in its order. Lines count from 1."""
    return list(_Reader(lines).items())


def split_heading(content: str) -> tuple[str, HeadingAttributes]:
    """The words of a heading, and its attributes."""
    found = _HEADING_ATTRIBUTES.search(content[-220:])
    if not found:
        return content, HeadingAttributes()
    words = found[1].split()
    named = next((w[1:] for w in words if w.startswith("#")), "")
    classes = frozenset(w[1:] for w in words if w.startswith("."))
    section = next((w.partition("=")[2] for w in words if w.startswith("section=")), None)
    return content[: -len(found[0])], HeadingAttributes(named, classes, section)


def anchor(text: str, taken: Names) -> str:
    """The slug of a heading, unique among those of the document."""
    return taken.unique(slug(text, "section"))


def heading_text(text: str, number: int) -> str:
    """The words of the heading of this number; past more than anybody writes, with their markup."""
    return plain(text) if number <= _MOST_HEADINGS else text.strip()[:_LONGEST_HEADING]


def plain(text: str) -> str:
    """Inline Markdown as the words a reader sees."""
    if len(text) > _LONGEST_HEADING:
        return text[: _LONGEST_HEADING - 1] + "…"
    if not _MARKUP.search(text):
        return text.strip()
    children = _INLINE.parseInline(text)[0].children or []
    return "".join(t.content if t.type in ("text", "code_inline") else "" for t in children).strip()


class _Reader:
    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._slugs = Names()
        self._headings = 0
        self._quotes = 0
        self._lists = 0
        self._tasks: Tasks | None = None

    def items(self) -> Iterator[Item]:
        tokens = _BLOCKS.parse("\n".join(self._lines))
        for position, token in enumerate(tokens):
            self._nest(token)
            if token.type == "fence":
                yield self._fence(token)
            elif token.type == "code_block" and token.map:
                first, last = token.map
                yield Fence("", token.content, first + 1, last, True, self._around())
            elif token.type == "html_block" and token.map:
                yield from _in_html(token.content, token.map[0] + 1)
            elif token.type == "inline" and token.map:
                yield from self._text(tokens[position - 1], token)

    def _nest(self, token: Token) -> None:
        if token.type.startswith("blockquote_"):
            self._quotes += token.nesting
        elif token.type in ("bullet_list_open", "ordered_list_open"):
            self._lists += 1
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            self._lists -= 1
            if not self._lists:
                self._tasks = None

    def _text(self, opening: Token, token: Token) -> Iterator[Item]:
        first, last = token.map or (0, 0)
        if opening.type == "heading_open":
            if opening.level == 0:
                end = (
                    opening.map[1] if opening.map else last
                )  # below the underline, if there is one
                yield self._heading(int(opening.tag[1:]), token.content, first + 1, end)
        elif opening.type == "paragraph_open" and not self._quotes:
            task = _TASK.match(token.content) if self._lists else None
            if task:
                yield from self._task(Task(task[1], first + 1), last)
            yield Paragraph(token.content, first + 1, last, bool(self._lists))

    def _heading(self, level: int, content: str, line: int, end: int) -> Heading:
        words, attributes = split_heading(content)
        self._headings += 1
        text = heading_text(words, self._headings)
        return Heading(
            level=level,
            text=text,
            slug=anchor(attributes.id or text, self._slugs),
            classes=attributes.classes,
            section=attributes.section,
            line=line,
            end=max(end, line),
        )

    def _task(self, task: Task, end: int) -> Iterator[Tasks]:
        if self._tasks is None:
            self._tasks = Tasks(task.line, end)
            yield self._tasks
        self._tasks.items.append(task)
        self._tasks.end = end

    def _fence(self, token: Token) -> Fence:
        first, last = token.map or (0, 1)
        closing = self._lines[last - 1] if 0 < last <= len(self._lines) else ""
        mark = re.escape(token.markup[0])
        closed = last - first > 1 and bool(
            re.fullmatch(rf"[>\s]*{mark}{{{len(token.markup)},}}\s*", closing)
        )
        info = token.info.strip()
        return Fence(info, token.content, first + 1, last, closed, self._around())

    def _around(self) -> str:
        return "a quotation" if self._quotes else ""


def _in_html(content: str, line: int) -> Iterator[Fence]:
    """The fences in raw HTML, which are text there; those in a comment are put aside on purpose."""
    if content.lstrip().startswith("<!--"):
        return
    for number, text in enumerate(content.split("\n"), start=line):
        if match := _FENCE.fullmatch(text):
            yield Fence(match[1], "", number, number, True, HTML)
