"""Who gains and who loses what by a change of roles or of the matrix. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from cvdops.access.levels import Level
from cvdops.access.rules import levels
from cvdops.access.standing import Held, Standing

Cells = Mapping[tuple[str, str], Level]  # (role, category)

_SOMEBODY = UUID(int=0)  # levels do not depend on who it is
ALSO = {
    Level.REVIEW: "sees the runbooks, their executions and output",
    Level.ASSIST: "confirms manual steps and checklist items, writes notes",
    Level.EXECUTE: "starts, pauses, cancels, retries and rolls back",
    Level.LEAD: "skips steps and marks them as done, hands over, declares emergencies",
}


@dataclass(frozen=True, slots=True)
class Holding:
    """A role that somebody holds. Without an environment it counts everywhere."""

    username: str
    name: str
    role: str
    leads: bool  # of the role: Execute amounts to Lead
    environment: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """What becomes of one person's level on one category."""

    username: str
    name: str
    category: str
    environment: str  # empty: everywhere
    security: bool  # for security incidents alone
    before: Level
    after: Level
    limit: Level = Level.LEAD  # the highest that their training allows there

    @property
    def gains(self) -> bool:
        return self.after > self.before

    @property
    def rights(self) -> tuple[str, ...]:
        """What is gained or lost, in words, the most first; what the training does not allow yet is marked."""
        low, high = sorted((self.before, self.after))
        later = "once certified" if self.environment else "as far as their training allows"
        return tuple(
            f"{later}: {ALSO[level]}" if self.gains and level > self.limit else ALSO[level]
            for level in sorted(ALSO, reverse=True)
            if low < level <= high
        )

    @property
    def where(self) -> str:
        """On what, and where."""
        place = f" in {self.environment}" if self.environment else ""
        return f"{self.category}{place}{', for security incidents' if self.security else ''}"

    def __str__(self) -> str:
        verb = "gains" if self.gains else "loses"
        change = f"{self.before.label} → {self.after.label}"
        return f"{self.name} {verb} on {self.where}: {'; '.join(self.rights)} ({change})."


def level(
    held: Iterable[Holding], cells: Cells, category: str, environment: str, *, security: bool
) -> Level:
    """What these roles give in an environment, by the rules; `""`: what they give in all of them."""
    rows = tuple(
        Held(
            h.role,
            {c: v for (role, c), v in cells.items() if role == h.role},
            h.environment,
            h.leads,
        )
        for h in held
    )
    somebody = Standing(_SOMEBODY, active=True, held=rows)
    return levels(somebody, environment, security=security)[category]


def effects(
    before: Sequence[Holding],
    cells: Cells,
    after: Sequence[Holding] | None = None,
    changed: Cells | None = None,
) -> list[Effect]:
    """The difference that other holdings or other cells make, by person, category and environment."""
    later = before if after is None else after
    new_cells = {**cells, **(changed or {})}
    names = {h.username: h.name for h in (*before, *later)}
    found: list[Effect] = []
    for username in sorted(names, key=lambda u: (names[u], u)):
        old = [h for h in before if h.username == username]
        new = [h for h in later if h.username == username]
        for category in sorted({category for _, category in new_cells}):
            for place, security, was, will in _pairs(old, cells, new, new_cells, category):
                found.append(
                    Effect(username, names[username], category, place, security, was, will)
                )
    return found


def _pairs(
    old: Sequence[Holding], cells: Cells, new: Sequence[Holding], new_cells: Cells, category: str
) -> Iterator[tuple[str, bool, Level, Level]]:
    """The differences on one category: everywhere, then where and for what they are others."""
    everywhere: dict[bool, tuple[Level, Level]] = {}
    for place in sorted({"", *(h.environment for h in (*old, *new))}):
        here: dict[bool, tuple[Level, Level]] = {}
        for security in (False, True):
            pair = (
                level(old, cells, category, place, security=security),
                level(new, new_cells, category, place, security=security),
            )
            said = here.get(False) == pair or everywhere.get(security) == pair
            here[security] = pair
            if pair[0] != pair[1] and not said:
                yield place, security, *pair
        everywhere = everywhere or here
