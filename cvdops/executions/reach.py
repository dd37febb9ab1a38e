"""Where the `http` steps of a plan may go: looked up in the environment's list, and pinned."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from cvdops.environments.models import Environment
from cvdops.lib.errors import Problem
from cvdops.spec import http
from cvdops.spec.document import Kind, Step
from cvdops.spec.filling import FillError, UnsetError, fill, known_origin, readable
from cvdops.spec.origin import Origin


@dataclass(frozen=True, slots=True)
class Reach:
    """By the id of a step, host and port of those that it may talk to; and what stands in the way."""

    addresses: Mapping[str, tuple[str, ...]]
    problems: tuple[Problem, ...]


def resolve(environment: Environment, steps: Sequence[Step], variables: Mapping[str, str]) -> Reach:
    """A step whose address is known may go there alone; another one, wherever the environment allows."""
    asking = [step for step in steps if step.kind is Kind.HTTP]
    allowed = sorted(map(str, environment.addresses.all())) if asking else []
    found, problems = {}, []
    for step in asking:
        try:
            place = _place(http.read(step.body), variables)
        except FillError as error:
            problems.append(Problem("environment", f"“{step.title}”: {error}"))
            continue
        if place is None and allowed:
            found[step.id] = tuple(allowed)
        elif place is not None and place.address in allowed:
            found[step.id] = (place.address,)
        else:
            where = place.address if place else "an address that a step before it finds"
            problems.append(_not_allowed(environment, step, where, allowed))
    return Reach(found, tuple(problems))


def shown(step: Step, variables: Mapping[str, str], addresses: Mapping[str, Sequence[str]]) -> str:
    """What an http step asks for, as people read it; empty for any other step."""
    if step.kind is not Kind.HTTP:
        return ""
    request = http.read(step.body)
    where = (
        "" if _is_known(request, variables) else " at " + " or ".join(addresses.get(step.id, ()))
    )
    return readable(request, variables) + where


def _is_known(request: http.Request, variables: Mapping[str, str]) -> bool:
    try:
        return known_origin(request, variables) is not None
    except FillError:
        return True  # and wrong


def _place(request: http.Request, variables: Mapping[str, str]) -> Origin | None:
    """Where it goes, as far as that is known before the start. Raises FillError."""
    try:
        return fill(request, variables).origin
    except UnsetError:
        return known_origin(request, variables)


def _not_allowed(
    environment: Environment, step: Step, where: str, allowed: Collection[str]
) -> Problem:
    there = f"Allowed are: {', '.join(allowed)}." if allowed else "None is allowed yet."
    return Problem(
        "environment",
        f"“{step.title}” would talk to {where}, which {environment.name} does not allow. {there} "
        "An administrator or an Operations Lead adds it on the page of the environment.",
    )
