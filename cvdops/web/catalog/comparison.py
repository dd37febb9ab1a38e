"""Two texts side by side, line by line, as the rows of a table. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from cvdops.web.catalog.alignment import Block, blocks
from cvdops.web.catalog.source import lines_of, shown

CONTEXT = 3  # lines shown around a change
MOST = 3_000  # rows on one page
_WORDS = re.compile(r"\w+|\W")
_LONGEST_MARKED = 500  # characters of a line whose words are compared
_MARKED = 100_000  # characters of all of them
_ALIKE = 0.4  # of the characters have to be the same for marks to help


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two texts differ. `html` are table bodies, of which each is one change or what is around it."""

    added: int
    removed: int
    html: SafeString
    cut: int  # changed lines that are not shown: the page would become too long

    @property
    def same(self) -> bool:
        return not self.added and not self.removed


def compare(old: str, new: str) -> Comparison:
    """Takes well below a second for 20,000 lines on each side."""
    left, right = lines_of(old), lines_of(new)
    found = list(blocks(left, right))
    changed = [block for block in found if not block.same]
    writer = _Writer(shown(left), shown(right))
    html = "".join(_written(found, writer))
    return Comparison(
        added=sum(len(block.new) for block in changed),
        removed=sum(len(block.old) for block in changed),
        html=mark_safe(html),  # noqa: S308 — made of escaped text and of tags written here
        cut=writer.cut,
    )


def _written(found: Sequence[Block], writer: "_Writer") -> Iterator[str]:
    for number, block in enumerate(found):
        if not block.same:
            yield writer.change(block)
            continue
        before = CONTEXT if number else 0
        after = CONTEXT if number + 1 < len(found) else 0
        if number == after == 0:
            return
        if len(block.old) <= before + after + 1:
            yield writer.unchanged(block.old, block.new)
            continue
        last = len(block.old) - after
        yield writer.unchanged(block.old[:before], block.new[:before])
        yield writer.gap(last - before)
        yield writer.unchanged(block.old[last:], block.new[last:])


class _Writer:
    """Writes the rows, as many as a page can bear."""

    def __init__(self, old: Sequence[str], new: Sequence[str]) -> None:
        self._old, self._new = old, new
        self._room, self._marked = MOST, _MARKED
        self.cut = 0

    def unchanged(self, old: range, new: range) -> str:
        rows = [
            _row(_number(i), escape(self._old[i]), _number(j), escape(self._new[j]))
            for i, j in zip(old, new, strict=True)
        ]
        return _body("same", rows) if rows and self._room else ""

    def gap(self, size: int) -> str:
        cell = f'<td role="cell" colspan="4">{size} lines that are the same</td>'
        return _body("gap", [f'<tr role="row">{cell}</tr>']) if self._room else ""

    def change(self, block: Block) -> str:
        pairs = list(zip_longest(block.old, block.new))
        kept = pairs[: self._room]
        self._room -= len(kept)
        self.cut += sum((i is not None) + (j is not None) for i, j in pairs[len(kept) :])
        return _body("change", [self._changed(i, j) for i, j in kept]) if kept else ""

    def _changed(self, i: int | None, j: int | None) -> str:
        if i is None or j is None:
            old = "" if i is None else f"<del>{escape(self._old[i])}</del>"
            new = "" if j is None else f"<ins>{escape(self._new[j])}</ins>"
            return _row(_number(i), old, _number(j), new)
        old, new = self._marks(self._old[i], self._new[j])
        return _row(_number(i), f"<del>{old}</del>", _number(j), f"<ins>{new}</ins>")

    def _marks(self, old: str, new: str) -> tuple[str, str]:
        """Both lines escaped; where they are much alike, with the words marked that differ."""
        longest = max(len(old), len(new))
        if longest <= _LONGEST_MARKED and longest <= self._marked:
            self._marked -= longest
            left, right = _WORDS.findall(old), _WORDS.findall(new)
            found = list(blocks(left, right))
            alike = sum(len("".join(left[b.old.start : b.old.stop])) for b in found if b.same)
            if alike >= _ALIKE * longest:
                return (
                    "".join(_marked(left[b.old.start : b.old.stop], b.same) for b in found),
                    "".join(_marked(right[b.new.start : b.new.stop], b.same) for b in found),
                )
        return escape(old), escape(new)


def _marked(words: Sequence[str], same: bool) -> str:
    text = escape("".join(words))
    return text if same or not words else f"<mark>{text}</mark>"


def _number(index: int | None) -> str:
    return "" if index is None else str(index + 1)


def _row(old_number: str, old: str, new_number: str, new: str) -> str:
    return (
        f'<tr role="row"><td role="cell" class="n old">{old_number}</td>'
        f'<td role="cell" class="old">{old}</td>'
        f'<td role="cell" class="n new">{new_number}</td>'
        f'<td role="cell" class="new">{new}</td></tr>'
    )


def _body(kind: str, rows: Sequence[str]) -> str:
    return f'<tbody class="{kind}" role="rowgroup">{"".join(rows)}</tbody>'
