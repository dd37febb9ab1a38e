"""Where the steps of a plan run: the hosts, groups and databases that they name, resolved for good."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cvdops.environments.models import Database as Known
from cvdops.environments.models import Environment, Host
from cvdops.executions.plan import ON_HOSTS, Database, Target
from cvdops.lib.errors import Problem
from cvdops.spec.document import Kind, Step

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Targets:
    """What the steps name, and what stands in the way."""

    hosts: Mapping[str, Target]
    groups: Mapping[str, tuple[str, ...]]
    databases: Mapping[str, Database]
    default: str
    problems: tuple[Problem, ...]

    def where(self, step: Step) -> str:
        """The hosts of a step as one reads them."""
        if step.kind not in ON_HOSTS:
            return ""
        target = step.attributes.target or self.default
        return ", ".join(self.groups.get(target, (target,)))


def resolve(
    environment: Environment, steps: Sequence[Step], variables: Mapping[str, str]
) -> Targets:
    """Look up everything that these steps name in the environment; `variables` are its own."""
    known = {host.name: host for host in environment.hosts.all()}
    default = next((host.name for host in known.values() if host.default), "")
    placed = [step for step in steps if step.kind in ON_HOSTS]
    named = {step.attributes.target for step in placed if step.attributes.target}
    groups = _groups(environment, named - known.keys())
    hosts = {default, *named, *(name for group in groups.values() for name in group)} & known.keys()
    remote = [known[name] for name in sorted(hosts) if known[name].transport == Host.Transport.SSH]
    problems = [
        *_no_host(environment, placed, default),
        *_unknown(environment, placed, {*known, *groups}, groups),
        *_unproved(remote),
    ]
    databases, missing = _databases(environment, placed, variables)
    return Targets(
        hosts={name: target_of(known[name]) for name in sorted(hosts)},
        groups=groups,
        databases=databases,
        default=default,
        problems=(*problems, *missing),
    )


def _groups(environment: Environment, names: set[str]) -> dict[str, tuple[str, ...]]:
    """Those of the names that are groups, with their hosts in order."""
    if not names:
        return {}
    found = environment.groups.filter(name__in=names).prefetch_related("hosts")
    return {group.name: tuple(host.name for host in group.hosts.all()) for group in found}


def target_of(host: Host) -> Target:
    """The host as it is now."""
    remote = host.transport == Host.Transport.SSH
    keys = tuple(key.fingerprint for key in host.keys.all()) if remote else ()
    return Target(
        id=host.pk,
        name=host.name,
        transport=host.transport,
        address=host.address,
        port=host.port or 0,
        user=host.user,
        key=host.key,
        jump=host.jump,
        keys=keys,
    )


def _no_host(environment: Environment, placed: Sequence[Step], default: str) -> list[Problem]:
    if default or all(step.attributes.target for step in placed):
        return []
    text = f"{environment.name} has no host yet: nothing can run there. Add one on its own page."
    if environment.hosts.exists():
        text = (
            f"None of the hosts of {environment.name} is its default, and some of the steps name no other. "
            "Choose a default on its own page."
        )
    return [Problem("environment", text)]


def _unknown(
    environment: Environment,
    placed: Sequence[Step],
    known: set[str],
    groups: Mapping[str, tuple[str, ...]],
) -> list[Problem]:
    problems = []
    for step in placed:
        target = step.attributes.target
        if target and target not in known:
            text = f"{environment.name} has no host or group of that name."
        elif target in groups and not groups[target]:
            text = f"the group has no host in {environment.name}."
        else:
            continue
        problems.append(Problem("environment", f"“{step.title}” runs on {target}: {text}"))
    return problems


def _unproved(remote: Sequence[Host]) -> list[Problem]:
    """Hosts whose key nobody has confirmed: nothing is sent to them."""
    return [
        Problem(
            "environment",
            f"Nobody has confirmed the key of {host.name} yet: test the connection on the page of "
            "the environment and confirm its fingerprint.",
        )
        for host in remote
        if not host.keys.all()
    ]


def _databases(
    environment: Environment, placed: Sequence[Step], variables: Mapping[str, str]
) -> tuple[dict[str, Database], list[Problem]]:
    steps = [step for step in placed if step.kind is Kind.SQL]
    if not steps:
        return {}, []
    known = {database.name: database for database in environment.databases.all()}
    only = next(iter(known)) if len(known) == 1 else ""
    found, problems = {}, []
    for step in steps:
        name = step.attributes.database or only
        if name in known:
            location = _VARIABLE.sub(
                lambda match: variables.get(match[1], match[0]), known[name].location
            )
            found[step.attributes.database] = Database(known[name].kind, location)
            problems += _unusable(known[name].name, found[step.attributes.database])
            continue
        there = ", ".join(known) or "none"
        what = f"the database {name}" if name else "a database that it does not name"
        text = f"“{step.title}” needs {what}. {environment.name} has: {there}."
        problems.append(Problem("environment", text))
    return found, problems


def _unusable(name: str, database: Database) -> list[Problem]:
    """A location that its client would take for something else."""
    wrong = ""
    if unset := _VARIABLE.search(database.location):
        wrong = f"names {unset[1]}, which the environment does not set"
    elif database.kind == Known.Kind.SQLITE and not database.location.startswith("/"):
        wrong = "is no path that begins with /"
    text = f"The location of the database {name} {wrong}: {database.location}. Correct it."
    return [Problem("environment", text)] if wrong else []
