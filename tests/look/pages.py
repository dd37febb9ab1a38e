"""Every page and every state of one that there is, in a small portal, and who opens it.

The pages come from the table of all addresses: a new page is walked without being named here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db.models.functions import Now
from django.urls import reverse

from cvdops.executions.models import Execution
from cvdops.executions.pace import TELLING
from cvdops.executions.states import EXECUTION_LOOKS, TERMINAL
from tests.cast import OUTSIDER
from tests.web.access_table import NOBODY, TABLE
from tests.web.world import World

# Addresses whose answer is no page: streams, fragments, files, and where one is only passed on.
NO_PAGE = {
    "execution-events",
    "execution-snapshot",
    "execution-controls",
    "execution-output",
    "audit-export",
    "executions-export",
    "execution-lines",
    "execution-search",
    "dry-run",
    "calendar",
    "policy-choose",
    "healthz",
    "readyz",
    "login",
}
LEAD = "operations-lead"
EMPTY = ("/", "/runbooks/", "/executions/", "/approvals/", "/notices/", "/permissions/")


@dataclass(frozen=True)
class Place:
    """An address as one role opens it, and what it answers."""

    address: str
    role: str = LEAD
    status: int = 200

    def __str__(self) -> str:
        return f"{self.address} as {self.role or 'nobody'}"


def all_places(world: World) -> list[Place]:
    """Each once. Executions come first, before a window or a hold of the table refuses their starts."""
    places = [
        *_executions(world),
        _slow(world),
        *_states(world),
        *_addresses(world),
        *_refusals(),
    ]
    return list(dict.fromkeys(places))


def in_order() -> list[str]:
    """The names of the table, those last whose rows need a window: it refuses the starts of the others."""
    return sorted(TABLE, key=lambda name: "WINDOW" in TABLE[name].kwargs.values())


def naming(world: World) -> Callable[[Mapping[str, object]], dict[str, object]]:
    """`World.named`, which makes of each thing one alone: some exist but once."""
    made: dict[object, object] = {}

    def named(values: Mapping[str, object]) -> dict[str, object]:
        for name, value in world.named(
            {n: v for n, v in values.items() if str(v) not in made}
        ).items():
            made[str(values[name])] = value
        return {name: made[str(value)] for name, value in values.items()}

    return named


def _addresses(world: World) -> list[Place]:
    places, named = [], naming(world)
    for name in in_order():
        row = TABLE[name]
        if row.get is None or row.api or name in NO_PAGE:
            continue
        address = reverse(name, kwargs=named(row.kwargs))
        role = LEAD if row.expected(LEAD, "GET") == 200 else "admin"
        places.append(Place(address, role, row.expected(role, "GET")))
    return places


def _states(world: World) -> list[Place]:
    """Empty lists, forms that were not understood, and what waits for the one who looks."""
    request = world.request()
    return [
        *(Place(address, OUTSIDER) for address in EMPTY),
        Place("/runbooks/?q=nothing-like-it"),
        Place("/executions/?q=nothing-like-it"),
        Place("/audit/?address=nowhere"),
        Place("/find/?q=nothing-like-it"),
        Place("/runbooks/deployment/?view=source"),
        Place("/runbooks/deployment/run/?procedure=release&environment=production"),
        Place("/runbooks/deployment/run/?procedure=greet&environment=development"),
        Place("/runbooks/deployment/run/?procedure=release&environment=staging&emergency=yes"),
        Place("/runbooks/deployment/run/?procedure=release&environment=development", "developer"),
        Place("/permissions/matrix/?developer/security=review-execute"),
        Place("/permissions/what-if/?person=developer&runbook=deployment&environment=production"),
        Place(f"/approvals/{request}/", "operations-manager"),
        Place(f"/approvals/{request}/", "devops-engineer"),
        Place("/approvals/", "operations-manager"),
        Place("/", "operations-manager"),
        Place("/", "devops-engineer"),
        Place("/login/", NOBODY),
        Place("/api/v1/docs"),
    ]


def _refusals() -> list[Place]:
    return [
        Place("/nothing/", LEAD, 404),
        Place("/runbooks/nothing/", LEAD, 404),
        Place("/runbooks/deployment/", OUTSIDER, 404),
        Place("/audit/", "developer", 403),
        Place("/permissions/matrix/", "developer", 403),
        Place("/people/", LEAD, 403),
        Place("/logout/", LEAD, 405),
        Place("/find/?q=%00", LEAD, 400),
    ]


def _executions(world: World) -> list[Place]:
    """One in each state that there is."""
    places = []
    for state in EXECUTION_LOOKS:
        execution = world.start(reason=f"so that one is {state}")
        ended = Now() if state in TERMINAL else None
        Execution.objects.filter(pk=execution.pk).update(
            state=state, started_at=Now(), finished_at=ended
        )
        places.append(Place(f"/executions/{execution.pk}/"))
    return [*places, Place("/executions/"), Place("/")]


def _slow(world: World) -> Place:
    """One whose step takes longer than those before, which were done at once."""
    now = Now()
    for _ in range(TELLING):
        before = world.start()
        Execution.objects.filter(pk=before.pk).update(state="succeeded", finished_at=now)
        before.steps.update(state="succeeded", attempt_count=1, started_at=now, finished_at=now)
    slow, began = world.start(), now - timedelta(minutes=10)
    Execution.objects.filter(pk=slow.pk).update(
        state="running", started_at=began, lease_until=now + timedelta(hours=1)
    )
    slow.steps.update(state="running", started_at=began)
    return Place(f"/executions/{slow.pk}/")
