"""The kind `role`: the rights of a role that no cell of the matrix gives. Its key is the role.

They count in every environment, so in production too: every change of them takes a second person.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from cvdops.access.models import Role
from cvdops.access.policy import Action
from cvdops.accounts.models import User
from cvdops.changes import holders
from cvdops.changes.effects import effects
from cvdops.changes.kind import Value
from cvdops.lib.errors import NotFound, Problem

CALLED = "rights of a role"
WORDS: Mapping[str, str] = {
    "leads": "leads wherever it may execute, and changes permissions, environments and holds",
    "administers": "administers accounts and settings",
    "reads_audit": "reads the audit log",
}


def value(*, leads: bool, administers: bool, reads_audit: bool) -> Value:
    return {"leads": leads, "administers": administers, "reads_audit": reads_audit}


def title(key: str) -> str:
    return f"Rights of {_role(key).name} besides the matrix"


def address(_key: str) -> str:
    return "permissions"


def visible(_user: User, _key: str) -> bool:
    return True


def action(_key: str) -> Action:
    return Action.EDIT_PERMISSIONS


def current(key: str) -> Value:
    role = _role(key)
    return value(leads=role.leads, administers=role.administers, reads_audit=role.reads_audit)


def check(key: str, after: Value) -> Sequence[Problem]:
    if not _fits(after):
        return [
            Problem("", f"A role has {', '.join(WORDS)}, each true or false, and nothing else.")
        ]
    problem = holders.locked_out_by_role(_role(key).pk, **(after or {}))
    return [Problem("", problem)] if problem else []


def guarded(_key: str, _before: Value, _after: Value) -> bool:
    return True


def about(key: str, _before: Value, _after: Value) -> frozenset[UUID]:
    """Whoever holds the role, now or later: nobody edits their own row."""
    return holders.persons(_role(key).pk)


def apply(key: str, after: Value) -> None:
    Role.objects.filter(pk=_role(key).pk).update(**(after or {}))


def sentences(key: str, before: Value, after: Value) -> Sequence[str]:
    was, will = before or {}, after or {}
    return [
        f"{key} {words}: {_yes(was.get(name))} → {_yes(will.get(name))}"
        for name, words in WORDS.items()
        if was.get(name) != will.get(name)
    ]


def consequences(key: str, after: Value) -> Sequence[str]:
    if after is None or not _fits(after):
        return []
    role, held = _role(key), holders.holdings()
    found = effects(held, holders.cells(), holders.as_leading(held, role.pk, after["leads"]))
    said = [str(effect) for effect in holders.as_trained(found)]
    names = dict.fromkeys(h.name for h in held if h.role == role.pk)
    before = current(key) or {}
    for name, words in WORDS.items():
        if after[name] != before[name]:
            verb = "gains" if after[name] else "loses, unless by another role"
            said += [f"{who} {verb}: {words}." for who in names]
    return said


def _fits(after: Value) -> bool:
    return after is not None and set(after) == set(WORDS) and {*map(type, after.values())} == {bool}


def _yes(given: object) -> str:
    return "yes" if given else "no"


def _role(key: str) -> Role:
    role = Role.objects.filter(pk=key).first()
    if role is None:
        raise NotFound("role")
    return role
