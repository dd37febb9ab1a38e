"""The kind `approver-group`: people who approve where a gate or policy names their group. Its key is the slug.

Every change of one takes a second person, and nobody puts themselves into one or takes themselves out.
"""

import re
from collections.abc import Sequence
from uuid import UUID

from cvdops.access.models import ApproverGroup, Role
from cvdops.access.policy import Action
from cvdops.accounts.models import User
from cvdops.changes.kind import Value
from cvdops.lib.errors import NotFound, Problem

CALLED = "group of approvers"
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def value(name: str, members: Sequence[str]) -> Value:
    return {"name": name, "members": sorted(members)}


def title(key: str) -> str:
    return f"The approvers {_slug(key)}"


def address(_key: str) -> str:
    return "policies"


def visible(_user: User, _key: str) -> bool:
    return True


def action(_key: str) -> Action:
    return Action.EDIT_PERMISSIONS


def current(key: str) -> Value:
    group = ApproverGroup.objects.filter(pk=_slug(key)).first()
    if group is None:
        return None
    return value(group.name, list(group.members.values_list("username", flat=True)))


def check(key: str, after: Value) -> Sequence[Problem]:
    if not _well_formed(after) or after is None:
        return [Problem("members", "A group has a name and members.")]
    problems = []
    if Role.objects.filter(pk=_slug(key)).exists():
        problems.append(Problem("slug", "A role is called so: choose another name."))
    if not 1 <= len(after["name"].strip()) <= 80 or not after["name"].isprintable():
        problems.append(Problem("name", "Give it a name of at most 80 letters."))
    known = set(
        User.objects.filter(username__in=after["members"], is_active=True).values_list(
            "username", flat=True
        )
    )
    if foreign := [name for name in after["members"] if name not in known]:
        problems.append(Problem("members", f"Nobody active is called {', '.join(foreign)}."))
    return problems


def guarded(_key: str, _before: Value, _after: Value) -> bool:
    return True


def about(_key: str, before: Value, after: Value) -> frozenset[UUID]:
    changed = _members(before) ^ _members(after)
    return frozenset(User.objects.filter(username__in=changed).values_list("person", flat=True))


def apply(key: str, after: Value) -> None:
    if after is None:
        return
    group, _ = ApproverGroup.objects.update_or_create(
        slug=_slug(key), defaults={"name": after["name"].strip()}
    )
    group.members.set(User.objects.filter(username__in=after["members"]))


def sentences(key: str, before: Value, after: Value) -> Sequence[str]:
    gone, come = _members(before) - _members(after), _members(after) - _members(before)
    said = [f"{key}: {name} approves" for name in sorted(come)]
    said += [f"{key}: {name} approves no more" for name in sorted(gone)]
    if before is None or after is None or before["name"] != after["name"]:
        said.append(f"{key} is called {after['name'] if after else 'nothing'}")
    return said


def consequences(_key: str, _after: Value) -> Sequence[str]:
    return []


def _members(given: Value) -> frozenset[str]:
    return frozenset(given["members"]) if given and _well_formed(given) else frozenset()


def _well_formed(given: Value) -> bool:
    return (
        given is not None
        and set(given) == {"name", "members"}
        and isinstance(given["name"], str)
        and isinstance(given["members"], list)
        and all(isinstance(name, str) for name in given["members"])
    )


def _slug(key: str) -> str:
    if not _SLUG.fullmatch(key):
        raise NotFound("group of approvers")
    return key
