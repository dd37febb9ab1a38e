"""Whether what would be resolved now is what an execution was started with, and what is different.

A plan is resolved again, in the transaction that relies on it, and compared with the pinned one: they
are the same exactly if their digests are.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cvdops.approvals.groups import Demand
from cvdops.executions import context, launch, plan
from cvdops.executions.models import Execution
from cvdops.lib.errors import Invalid, NotFound

_NAMES = {
    "content_hash": "The text of the runbook",
    "commit": "The commit of the runbook",
    "variables": "Variable",
    "hosts": "Host",
    "groups": "Host group",
    "databases": "Database",
    "default_host": "The default host",
    "locks": "Locks",
    "forward": "Step",
    "backward": "Rollback step",
    "children": "The runbook started by",
    "addresses": "Addresses of",
    "secrets": "The version of the secret",
    "gates": "Who approves at",
    "windows": "Maintenance windows and freezes",
}
ORDER = "(the order)"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not what it was; empty: there was no such thing, or there is none any more."""

    what: str
    before: str
    after: str

    def __str__(self) -> str:
        if "\n" in self.before + self.after or len(self.before + self.after) > 120:
            return f"{self.what}: changed"
        return f"{self.what}: {self.before or 'nothing'} → {self.after or 'nothing'}"


@dataclass(frozen=True, slots=True)
class Present:
    """What would be resolved now: its digest, and how it differs from what is pinned."""

    digest: str
    differences: tuple[Difference, ...] = ()
    gates: Mapping[str, Demand] = field(default_factory=dict)  # who would have to agree


def present(execution: Execution) -> Present:
    """Resolve the start of an execution again."""
    pinned = plan.from_json(execution.plan)
    try:
        found = _resolve(execution, pinned)
    except (Invalid, NotFound) as error:
        gone = Difference("A new start", "could be resolved", str(error))
        return Present(plan.digest({"problem": str(error)}), (gone,))
    now = plan.to_json(found)
    return Present(plan.digest(now), tuple(differences(execution.plan, now)), found.gates)


def _resolve(execution: Execution, pinned: plan.Plan) -> plan.Plan:
    values = {**execution.variables, **context.secrets(execution)}
    preview = launch.resolve(
        execution.requested_by,
        execution.runbook_id,
        execution.environment_id,
        execution.procedure,
        {name: values[name] for name in pinned.given if name in values},
        version=execution.version.number if pinned.chosen else None,
        later=pinned.later,
        emergency=pinned.emergency,
        unseen=True,
    )
    # How the values came to be known is no difference: a child has them all when it is started.
    return replace(
        preview.draft, given=pinned.given, chosen=pinned.chosen, emergency=pinned.emergency
    )


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    """What is different in two stored plans. None exactly if their digests are equal."""
    old, new = dict(_flat(before)), dict(_flat(after))
    for path in dict.fromkeys((*old, *new)):
        if _exact(old, path) != _exact(new, path):
            yield Difference(_called(path), _text(old.get(path)), _text(new.get(path)))


def _exact(leaves: Mapping[tuple[str, ...], Any], path: tuple[str, ...]) -> str:
    return json.dumps(leaves[path], sort_keys=True) if path in leaves else ""


def _flat(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Path → leaf. Steps go by their ids, and their order is a leaf of its own."""
    if isinstance(value, list) and value and all(_is_step(item) for item in value):
        ids = [item["id"] for item in value]
        yield (*path, ORDER), ids
        if len(set(ids)) == len(ids):
            value = {item["id"]: item for item in value}
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _flat(inner, (*path, str(name)))
    else:
        yield path, value


def _is_step(item: object) -> bool:
    return isinstance(item, Mapping) and "id" in item and "kind" in item


def _called(path: tuple[str, ...]) -> str:
    """A path in words: `hosts › web › address` → “Host web, address”."""
    if not path:
        return "The plan"
    first, *rest = path
    if first == "children" and len(rest) > 2 and rest[1] == "plan":
        return f"{_NAMES[first]} {rest[0]}: {_called(tuple(rest[2:]))}"
    name = _NAMES.get(first, first.replace("_", " ").capitalize())
    if not rest:
        return name
    return f"{name} {rest[0]}" + "".join(f", {part.replace('_', ' ')}" for part in rest[1:])


def _text(value: Any) -> str:
    if value is None or value == [] or value == {}:
        return ""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)
