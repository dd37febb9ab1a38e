"""The kind `matrix`: the level of one role for one category. Its key is `role/category`.

A cell counts in every environment, so in production too: every change of one takes a second person.
"""

from collections.abc import Sequence
from uuid import UUID

from cvdops.access.levels import Level
from cvdops.access.models import MatrixCell, Role
from cvdops.access.policy import Action
from cvdops.accounts.models import User
from cvdops.changes import holders
from cvdops.changes.effects import effects
from cvdops.changes.kind import Value
from cvdops.lib.errors import NotFound, Problem
from cvdops.lib.once import once
from cvdops.spec.document import Category

CALLED = "level of a role"
NAMES = {level.name.lower(): level for level in Level}  # as values say it


def key(role: str, category: str) -> str:
    return f"{role}/{category}"


def value(level: Level) -> Value:
    return {"level": level.name.lower()}


def title(key: str) -> str:
    role, category = _parts(key)
    return f"{role.name} on {category}"


def address(_key: str) -> str:
    return "permissions"


def visible(_user: User, _key: str) -> bool:
    return True


def action(_key: str) -> Action:
    return Action.EDIT_PERMISSIONS


def current(key: str) -> Value:
    role, category = _parts(key)
    cell = MatrixCell.objects.filter(role=role, category=category).first()
    return value(Level(cell.level) if cell else Level.NONE)


def check(key: str, after: Value) -> Sequence[Problem]:
    level = _level(after)
    if level is None:
        return [Problem("level", f"The level is one of {', '.join(NAMES)}, and nothing else.")]
    role, category = _parts(key)
    if holders.leads(category) and not holders.leads(category, {(role.pk, category): level}):
        text = f"Nobody would lead {category} any more. Give another role Lead on it first."
        return [Problem("level", text)]
    return []


def guarded(_key: str, _before: Value, _after: Value) -> bool:
    return True


def about(key: str, _before: Value, _after: Value) -> frozenset[UUID]:
    """Whoever holds the role, now or later: nobody edits their own row."""
    role, _ = _parts(key)
    return holders.persons(role.pk)


def apply(key: str, after: Value) -> None:
    role, category = _parts(key)
    level = _level(after) or Level.NONE
    MatrixCell.objects.update_or_create(role=role, category=category, defaults={"level": level})


def sentences(key: str, before: Value, after: Value) -> Sequence[str]:
    role, _, category = key.partition("/")
    return [f"{role} on {category}: {_label(before)} → {_label(after)}"]


def consequences(key: str, after: Value) -> Sequence[str]:
    role, category = _parts(key)
    level = _level(after)
    if level is None:
        return []
    found = effects(holders.holdings(), holders.cells(), changed={(role.pk, category): level})
    return [str(effect) for effect in holders.as_trained(found)]


def _label(given: Value) -> str:
    level = _level(given)
    return "?" if level is None else level.label


def _level(given: Value) -> Level | None:
    if given is None or set(given) != {"level"} or not isinstance(given["level"], str):
        return None
    return NAMES.get(given["level"])


@once
def _parts(key: str) -> tuple[Role, str]:
    slug, _, category = key.partition("/")
    role = Role.objects.filter(pk=slug).first()
    if role is None or category not in set(Category):
        raise NotFound("cell of the matrix")
    return role, category
