"""The kind `approval-policy`: who has to approve a start. Its key is `environment/category/condition`.

`every` stands for all categories. Policies are security data: every change of one takes a second person.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import F

from cvdops.access import approvers
from cvdops.access.policy import Action, role_names
from cvdops.accounts.models import User
from cvdops.approvals import quorum
from cvdops.approvals.groups import Group, from_json, to_json
from cvdops.approvals.models import ApprovalPolicy, Condition
from cvdops.changes.kind import Value
from cvdops.environments.models import Environment
from cvdops.lib.errors import NotFound, Problem
from cvdops.spec.document import Category

CALLED = "approval policy"
EVERY = "every"  # category
SHORTEST, LONGEST = 5 * 60, 30 * 24 * 3600  # seconds to decide in
MOST = 5  # groups of a policy
_FIELDS = {"groups": list, "expires": int, "reason_required": bool}


def key(environment: str, category: str, condition: str) -> str:
    return f"{environment}/{category or EVERY}/{condition}"


def value(groups: Sequence[Group], expires: int, *, reason_required: bool) -> Value:
    return {"groups": to_json(groups), "expires": expires, "reason_required": reason_required}


def title(key: str) -> str:
    environment, category, condition = _parts(key)
    return f"Approvals in {environment} for {category or 'every category'}, {_when(condition)}"


def address(_key: str) -> str:
    return "policies"


def visible(_user: User, _key: str) -> bool:
    return True


def action(_key: str) -> Action:
    return Action.EDIT_PERMISSIONS


def current(key: str) -> Value:
    policy = stored(key)
    if policy is None:
        return None
    groups = from_json(policy.groups)
    return value(groups, policy.expires, reason_required=policy.reason_required)


def check(key: str, after: Value) -> Sequence[Problem]:
    """Also what nobody could ever meet as people hold roles now: when it is proposed, and when confirmed."""
    where = _parts(key)
    if not _well_formed(after):
        return [Problem("who", "A policy has groups, a time and whether a reason is needed.")]
    groups = _groups(after)
    known = role_names()
    problems = []
    if len(groups) > MOST:
        problems.append(Problem("who", f"At most {MOST} groups."))
    if len(set(groups)) < len(groups):
        problems.append(Problem("who", "Two groups are the same: ask for more persons of one."))
    for group in groups:
        if foreign := [name for name in group.approvers if name not in known]:
            text = f"There is no role or group {', '.join(foreign)}."
            problems.append(Problem("who", text))
        if not group.approvers or not 1 <= group.required <= 20:
            problems.append(Problem("who", "Each group asks for 1 to 20 persons of somebody."))
    if after and not SHORTEST <= after["expires"] <= LONGEST:
        problems.append(Problem("minutes", "Give from 5 minutes to 30 days to decide."))
    if not problems and groups and (why := quorum.unmet(groups, quorum.people(*where))):
        problems.append(Problem("who", why))
    return problems


def guarded(_key: str, _before: Value, _after: Value) -> bool:
    return True


def about(key: str, before: Value, after: Value) -> frozenset[UUID]:
    """Whoever becomes an approver by it, or is one no more: nobody edits their own row."""
    environment, _, _ = _parts(key)
    changed = _names(before) ^ _names(after)
    return frozenset(user.person for user in approvers.people(tuple(sorted(changed)), environment))


def apply(key: str, after: Value) -> None:
    environment, category, condition = _parts(key)
    policy, made = ApprovalPolicy.objects.get_or_create(
        environment_id=environment, category=category, condition=condition, defaults=after or {}
    )
    if not made:
        found = ApprovalPolicy.objects.filter(pk=policy.pk)
        found.update(**(after or {}), version=F("version") + 1)


def sentences(key: str, before: Value, after: Value) -> Sequence[str]:
    what = key.replace("/", ", ")
    return [f"{what}: {_said(before)} → {_said(after)}"]


def consequences(key: str, after: Value) -> Sequence[str]:
    """Who could decide there now; and why it cannot be confirmed, where too few could."""
    where = _parts(key)
    if not _well_formed(after):
        return []
    groups = _groups(after)
    if not groups:
        return ["What it is about starts without an approval, unless another policy asks."]
    found = []
    for group in groups:
        people = approvers.people(group.approvers, where[0])
        could = ", ".join(dict.fromkeys(user.name for user in people)) or "nobody now"
        found.append(f"{_group(group)}: {could}.")
    why = quorum.unmet(groups, quorum.people(*where))
    return [*found, why] if why else found


def stored(key: str) -> ApprovalPolicy | None:
    """The policy itself, if there is one. Raises NotFound for a key of nothing."""
    environment, category, condition = _parts(key)
    found = ApprovalPolicy.objects.filter(environment=environment, category=category)
    return found.filter(condition=condition).first()


def _said(given: Value) -> str:
    if given is None or not _well_formed(given) or not given["groups"]:
        return "nobody"
    who = " and ".join(_group(group) for group in _groups(given))
    reason = ", with a reason" if given["reason_required"] else ""
    return f"{who}, within {given['expires'] // 60} min{reason}"


def _group(group: Group) -> str:
    return f"{group.required} of {' or '.join(group.approvers)}"


def _groups(given: Value) -> tuple[Group, ...]:
    return from_json(given["groups"]) if given else ()


def _names(given: Value) -> frozenset[str]:
    groups = _groups(given) if _well_formed(given) else ()
    return frozenset(name for group in groups for name in group.approvers)


def _well_formed(given: Value) -> bool:
    if given is None or set(given) != set(_FIELDS):
        return False
    if not all(type(given[field]) is kind for field, kind in _FIELDS.items()):
        return False
    return all(_is_group(group) for group in given["groups"])


def _is_group(group: Any) -> bool:
    return (
        isinstance(group, dict)
        and set(group) == {"approvers", "required"}
        and type(group["required"]) is int
        and isinstance(group["approvers"], list)
        and all(isinstance(name, str) for name in group["approvers"])
    )


def _when(condition: str) -> str:
    return Condition(condition).label.lower()


def _parts(key: str) -> tuple[str, str, str]:
    environment, _, rest = key.partition("/")
    category, _, condition = rest.partition("/")
    known = Environment.objects.filter(pk=environment).exists()
    if not known or category not in {*Category, EVERY} or condition not in set(Condition):
        raise NotFound("approval policy")
    return environment, "" if category == EVERY else category, condition
