"""Which items of two sequences belong together: a longest common subsequence, in bounded time. Pure.

Each item of one side costs a few operations on a number with a bit for each item of the other (the
bit-vector method of Hyyrö and others), so two documents of 20,000 lines take well below a second.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Block:
    """A run of items that both sides have, or that one has and the other has not."""

    old: range
    new: range
    same: bool


def blocks(old: Sequence[Hashable], new: Sequence[Hashable]) -> Iterator[Block]:
    """Both sequences from their first to their last item, as few changes as there can be."""
    i = j = 0
    for start_old, start_new, size in _runs(_pairs(old, new)):
        if i < start_old or j < start_new:
            yield Block(range(i, start_old), range(j, start_new), same=False)
        i, j = start_old + size, start_new + size
        yield Block(range(start_old, i), range(start_new, j), same=True)
    if i < len(old) or j < len(new):
        yield Block(range(i, len(old)), range(j, len(new)), same=False)


def _runs(pairs: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    """Pairs that follow each other, as where they begin on each side and how many they are."""
    first = 0
    for at in range(1, len(pairs) + 1):
        i, j = pairs[at - 1]
        if at == len(pairs) or pairs[at] != (i + 1, j + 1):
            yield (*pairs[first], at - first)
            first = at


def _pairs(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[tuple[int, int]]:
    """The indices of equal items: those at both ends first, then what is best in between."""
    least = min(len(old), len(new))
    head = next((n for n in range(least) if old[n] != new[n]), least)
    least -= head
    tail = next((n for n in range(least) if old[-1 - n] != new[-1 - n]), least)
    shared = set(old[head : len(old) - tail]) & set(new[head : len(new) - tail])
    left = [n for n in range(head, len(old) - tail) if old[n] in shared]
    right = [n for n in range(head, len(new) - tail) if new[n] in shared]
    between = _longest([old[n] for n in left], [new[n] for n in right])
    return [
        *((n, n) for n in range(head)),
        *((left[i], right[j]) for i, j in between),
        *((len(old) - n, len(new) - n) for n in range(tail, 0, -1)),
    ]


def _longest(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[tuple[int, int]]:
    """The index pairs of a longest common subsequence."""
    places: dict[Hashable, int] = {}
    for j, item in enumerate(new):
        places[item] = places.get(item, 0) | 1 << j
    everything = (1 << len(new)) - 1
    vector, rows = everything, []
    for item in old:
        hit = vector & places.get(item, 0)
        vector = ((vector + hit) | (vector - hit)) & everything
        rows.append(vector)
    return _walk_back(rows, len(new))


def _walk_back(rows: Sequence[int], width: int) -> list[tuple[int, int]]:
    """A bit of a row is 0 where the common subsequence grows by the item of that column."""
    pairs = []
    i, j = len(rows) - 1, width - 1
    while i >= 0 and j >= 0:
        if rows[i] >> j & 1:
            j -= 1
        elif i and not rows[i - 1] >> j & 1:
            i -= 1
        else:
            pairs.append((i, j))
            i, j = i - 1, j - 1
    return pairs[::-1]
