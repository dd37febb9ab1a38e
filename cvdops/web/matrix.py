"""The matrix as it is edited: what was chosen, what that would change, and for whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cvdops.access.levels import Level
from cvdops.access.models import Role
from cvdops.accounts.models import User
from cvdops.changes import holders, matrix
from cvdops.changes.effects import Effect, effects
from cvdops.changes.kind import Value
from cvdops.changes.models import Change, ChangeState
from cvdops.changes.services import OWN, mark
from cvdops.spec.document import Category

NAMES = {level: name for name, level in matrix.NAMES.items()}


@dataclass(frozen=True, slots=True)
class Cell:
    """A level with the one that was chosen for it; `was` is what the person had before them."""

    key: str
    level: Level
    was: Level
    wanted: Level
    proposal: Change | None

    @property
    def category(self) -> str:
        return self.key.partition("/")[2]

    @property
    def changed(self) -> bool:
        return self.wanted is not self.was

    @property
    def options(self) -> list[tuple[str, str, bool]]:
        """Value, word, and whether it is chosen. A value says what it was made from."""
        base = self.was if self.changed else self.level
        chosen = self.wanted if self.changed else self.level
        return [(f"{NAMES[base]}-{NAMES[v]}", v.label, v is chosen) for v in Level]

    @property
    def sent(self) -> str:
        return f"{NAMES[self.was]}-{NAMES[self.wanted]}"


@dataclass(frozen=True, slots=True)
class Row:
    role: Role
    cells: tuple[Cell, ...]
    own: bool  # nobody edits their own row

    @property
    def own_changed(self) -> bool:
        return self.own and any(cell.changed for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Draft:
    """The whole matrix with what was chosen."""

    rows: tuple[Row, ...]

    @property
    def changed(self) -> list[tuple[Role, Cell]]:
        return [(row.role, cell) for row in self.rows for cell in row.cells if cell.changed]

    @property
    def effects(self) -> Sequence[Effect]:
        """Who gains and who loses what, by all of it together."""
        wanted = {(role.pk, cell.category): cell.wanted for role, cell in self.changed}
        found = effects(holders.holdings(), holders.cells(), changed=wanted)
        return holders.as_trained(found)

    @property
    def problems(self) -> list[str]:
        own = [f"{row.role.name}: {OWN.text} {OWN.remedy}" for row in self.rows if row.own_changed]
        found = own + [
            problem.message
            for _, cell in self.changed
            for problem in matrix.check(cell.key, matrix.value(cell.wanted))
        ]
        return list(dict.fromkeys(found))

    def wanted(self) -> dict[str, tuple[Value, str]]:
        """Key → the new value, and the mark of what it was made from."""
        return {
            cell.key: (matrix.value(cell.wanted), mark(matrix.value(cell.was)))
            for _, cell in self.changed
        }


def draft(user: User, chosen: Mapping[str, str]) -> Draft:
    """The matrix as it is, with what this person chose. What cannot be read counts as not chosen."""
    cells, roles = holders.cells(), Role.objects.all()
    open_ones = Change.objects.filter(kind="matrix", state=ChangeState.PROPOSED)
    proposals = {c.key: c for c in open_ones.select_related("proposed_by")}

    def cell(role: Role, category: str) -> Cell:
        key = matrix.key(role.pk, category)
        level = cells.get((role.pk, category), Level.NONE)
        before, _, after = chosen.get(key, "").partition("-")
        was, wanted = matrix.NAMES.get(before), matrix.NAMES.get(after)
        if was is None or wanted is None or was is wanted:
            was = wanted = level
        return Cell(key, level, was, wanted, proposals.get(key))

    return Draft(
        tuple(
            Row(
                role,
                tuple(cell(role, category.value) for category in Category),
                user.person in holders.persons(role.pk),
            )
            for role in roles
        )
    )
