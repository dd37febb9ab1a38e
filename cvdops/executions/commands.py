"""The commands that the steps of a plan call, host by host."""

import re
from collections import defaultdict

from cvdops.executions.plan import SHELLS, Plan
from cvdops.spec import shell
from cvdops.spec.document import Kind, Step
from cvdops.spec.tools import BUILTINS

_TOO_LONG = 200_000  # as `shell.cost` counts: nobody writes such a script
_NAMED = re.compile(r"[A-Za-z][\w.+-]{0,63}|/[\w./+-]{1,199}", re.ASCII)
_CLIENTS = {"sqlite": "sqlite3", "postgresql": "psql"}


def needed(plan: Plan) -> dict[int, frozenset[str]]:
    """The key of each host that steps run on → what has to be there, for children and rollback too."""
    found: dict[int, set[str]] = defaultdict(set)
    for planned in (*plan.steps, *plan.rollback):
        for name in planned.hosts:
            if name in plan.hosts:
                found[plan.hosts[name].id] |= _of_step(plan, planned.step)
    for child in plan.children.values():
        for host, names in needed(child.plan).items():
            found[host] |= names
    return {host: frozenset(names) for host, names in found.items()}


def _of_step(plan: Plan, step: Step) -> set[str]:
    if step.kind is Kind.PYTHON:
        return {"python3"}
    if step.kind is Kind.SQL:
        database = plan.databases.get(step.attributes.database)
        return {_CLIENTS[database.kind]} if database else set()
    if step.kind not in SHELLS:
        return set()
    interpreter = "sh" if step.kind is Kind.SH else "bash"
    return {interpreter, *_called(step.body)}


def _called(script: str) -> set[str]:
    """Those that are named as they are: by a name to look for, or by a whole path."""
    if shell.cost(script) > _TOO_LONG:
        return set()
    calls = list(shell.commands(shell.read(script)))
    names = {call.name for call in calls} | {name for call in calls for name in call.wrappers}
    return {name for name in names - BUILTINS if _NAMED.fullmatch(name)}
