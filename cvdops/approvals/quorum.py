"""Whether a policy can be met at all: enough people answer for its groups, and not only those who ask."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import QuerySet

from cvdops.access.levels import Level
from cvdops.access.models import ApproverGroup, MatrixCell, RoleGrant
from cvdops.approvals.groups import Group, from_json, missing
from cvdops.approvals.models import ApprovalPolicy, Condition
from cvdops.lib.together import Fixed, Wanted

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class People:
    """Of one environment, by person: who they are, for which names they answer, and who may ask there."""

    called: Mapping[UUID, str]
    answer_for: Mapping[UUID, AbstractSet[str]]
    ask: AbstractSet[UUID]


@dataclass(frozen=True, slots=True)
class Leaving:
    """What somebody is about to lose: roles, each with its environment, and named groups."""

    person: UUID
    roles: tuple[tuple[str, str | None], ...] = ()
    groups: tuple[str, ...] = ()


def unmet(groups: Sequence[Group], people: People) -> str:
    """Why nobody could ever meet these groups, with what to do about it; empty if somebody could. Pure.

    Nobody approves what they asked for: one who may ask, and leaves enough others, is enough.
    """
    voices = people.answer_for
    lacks = missing(groups, list(voices.values()))
    if any(lacks):
        found = [_lack(*both, people) for both in zip(groups, lacks, strict=True) if both[1]]
        return f"Nobody could ever meet it: {' '.join(found)} {_REMEDY}"
    if not people.ask or any(
        not any(missing(groups, [v for person, v in voices.items() if person != one]))
        for one in people.ask
    ):
        return ""
    names = ", ".join(sorted(people.called[person] for person in people.ask))
    return (
        f"Nobody could ever meet it: only {names} could ask for it, and nobody approves what they "
        f"asked for. {_REMEDY}"
    )


def stuck() -> list[tuple[ApprovalPolicy, str]]:
    """The policies that nobody could meet as things stand, each with the reason."""
    found = [(policy, why_stuck(policy)) for policy in policies() if policy.groups]
    return [(policy, why) for policy, why in found if why]


def left_stuck(leaving: Leaving) -> list[str]:
    """What nobody could meet any more after that, and could be met before; a sentence for each policy."""
    now = {policy.pk for policy, _ in stuck()}
    later = ((p, why_stuck(p, leaving)) for p in policies() if p.groups and p.pk not in now)
    return [f"{policy}. {why}" for policy, why in later if why]


def why_stuck(policy: ApprovalPolicy, leaving: Leaving | None = None) -> str:
    """The same for one of them; empty if it can be met."""
    there = people(policy.environment_id, policy.category, policy.condition, leaving)
    return unmet(from_json(policy.groups), there)


def reads() -> Iterator[Wanted]:
    """What `stuck` reads, for a page that reads more together with it."""
    yield policies.of()
    yield from of_people()


def of_people() -> Iterator[Wanted]:
    """What `people` reads."""
    yield grants.of()
    yield members.of()
    yield able.of()


def people(
    environment: str, category: str, condition: str, leaving: Leaving | None = None
) -> People:
    """Who there is for a policy of this environment now, or after somebody has lost something.

    An empty category is all of them.
    """
    sharp = condition == Condition.EMERGENCY
    starts = {
        role
        for role, of, level, leads in able()
        if category in ("", of) and (leads or level > Level.EXECUTE or not sharp)
    }
    called: dict[UUID, str] = {}
    names: dict[UUID, set[str]] = {}
    ask: set[UUID] = set()
    granted, grouped = grants(), members()
    if leaving:
        lost = [(leaving.person, *role) for role in leaving.roles]
        granted = _without(granted, lost, lambda row: (row[0], row[2], row[3]))
        groups = [(leaving.person, group) for group in leaving.groups]
        grouped = _without(grouped, groups, lambda row: (row[0], row[2]))
    held = [row[:3] for row in granted if row[3] in (None, environment)]
    for person, name, role in (*held, *grouped):
        called[person] = name
        names.setdefault(person, set()).add(role)
        if role in starts:
            ask.add(person)
    return People(called, names, ask)


@Fixed
def policies() -> QuerySet[ApprovalPolicy]:
    """All of them, by environment."""
    found = ApprovalPolicy.objects.select_related("environment")
    return found.order_by("environment__order", "category", "condition")


@Fixed
def grants() -> QuerySet[RoleGrant, tuple[UUID, str, str, str | None]]:
    """Person, name, role and environment of what active people hold."""
    held = RoleGrant.objects.in_force().filter(user__is_active=True)
    return held.values_list("user__person", "user__name", "role_id", "environment_id")


@Fixed
def members() -> QuerySet[Any, tuple[UUID, str, str]]:
    """Person, name and named group of active people."""
    found = ApproverGroup.members.through.objects.filter(user__is_active=True)
    return found.values_list("user__person", "user__name", "approvergroup_id")


@Fixed
def able() -> QuerySet[MatrixCell, tuple[str, str, int, bool]]:
    """Role, category and level of the cells by which something may be started, and whether the role leads."""
    cells = MatrixCell.objects.filter(level__gte=Level.EXECUTE)
    return cells.values_list("role_id", "category", "level", "role__leads")


def _without(
    rows: Sequence[Row], lost: Sequence[tuple[object, ...]], of: Callable[[Row], object]
) -> list[Row]:
    """The rows without one for each that is lost: another account of the person may hold the same."""
    left = list(lost)
    kept = []
    for row in rows:
        if (found := of(row)) in left:
            left.remove(found)
        else:
            kept.append(row)
    return kept


def _lack(group: Group, lacking: int, people: People) -> str:
    asked = f"{group.required} of {' or '.join(group.approvers)}"
    there = sorted(
        people.called[person]
        for person, names in people.answer_for.items()
        if names & set(group.approvers)
    )
    more = f"{lacking} {'person is' if lacking == 1 else 'people are'} missing"
    if not there:
        return f"{asked}: nobody answers for that now."
    only = "alone answers" if len(there) == 1 else "answer"
    return f"{asked}: {', '.join(there)} {only} for that now, so {more}."


_REMEDY = "Give the role to more people or put more into the group first, or ask for fewer."
