"""How many of whom have to agree, and whether enough have. Pure.

An approver is named by the slug of a role or of a named group. One person counts for one group only.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Group:
    """Of these approvers so many persons have to agree."""

    approvers: tuple[str, ...]
    required: int = 1

    def implies(self, other: "Group") -> bool:
        """Whether who fills this group would always fill the other one, too."""
        return set(self.approvers) <= set(other.approvers) and self.required >= other.required


@dataclass(frozen=True, slots=True)
class Demand:
    """What a gate asks for: every group has to be full, within `expires` seconds."""

    groups: tuple[Group, ...]
    expires: float
    reason_required: bool = False  # who approves has to say why
    policies: tuple[str, ...] = ()  # those that ask for it, with their versions

    @property
    def approvers(self) -> frozenset[str]:
        return frozenset(name for group in self.groups for name in group.approvers)


def to_json(groups: Iterable[Group]) -> list[dict[str, object]]:
    """The groups as they are stored."""
    return [{"approvers": list(g.approvers), "required": g.required} for g in groups]


def from_json(stored: Iterable[Mapping[str, object]]) -> tuple[Group, ...]:
    """The groups that were stored."""
    return tuple(
        Group(tuple(str(name) for name in _names(g)), int(str(g["required"]))) for g in stored
    )


def _names(group: Mapping[str, object]) -> Sequence[object]:
    names = group["approvers"]
    return names if isinstance(names, list | tuple) else ()


def together(demands: Iterable[Demand]) -> Demand | None:
    """All of these at once: what one of them asks for anyway is not asked for twice. None for none."""
    found = list(demands)
    if not found:
        return None
    groups: list[Group] = []
    for demand in found:
        groups += _left_over(groups, demand.groups)
    return Demand(
        groups=tuple(groups),
        expires=min(demand.expires for demand in found),
        reason_required=any(demand.reason_required for demand in found),
        policies=tuple(name for demand in found for name in demand.policies),
    )


def covers(asked: Sequence[Group], wanted: Sequence[Group]) -> bool:
    """Whether a gate that asks for these groups asks for at least the wanted ones."""
    return not _left_over(asked, wanted)


def _left_over(asked: Sequence[Group], wanted: Sequence[Group]) -> list[Group]:
    """The wanted groups that none of the others implies; each of those stands for one at most."""
    free = list(asked)
    left = []
    for group in wanted:
        match = next((other for other in free if other.implies(group)), None)
        if match is None:
            left.append(group)
        else:
            free.remove(match)
    return left


def missing(groups: Sequence[Group], voices: Sequence[AbstractSet[str]]) -> tuple[int, ...]:
    """For each group how many persons are still missing, when as many voices count as can.

    A voice is what one person who agreed may answer for: the names of roles and groups.
    """
    seats = [index for index, group in enumerate(groups) for _ in range(group.required)]
    taken: dict[int, int] = {}  # seat → voice

    def seat(voice: int, tried: set[int]) -> bool:
        for place, index in enumerate(seats):
            if place in tried or not voices[voice] & set(groups[index].approvers):
                continue
            tried.add(place)
            if place not in taken or seat(taken[place], tried):
                taken[place] = voice
                return True
        return False

    for voice in range(len(voices)):
        seat(voice, set())
    empty = [index for place, index in enumerate(seats) if place not in taken]
    return tuple(empty.count(index) for index in range(len(groups)))
