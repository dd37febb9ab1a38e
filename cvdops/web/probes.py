"""A test of a host as a page shows it: the steps that are done, the one being done, those to come."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from cvdops.environments.models import Environment
from cvdops.executions import probes
from cvdops.executions.models import HostCheck
from cvdops.executions.queues import Gap, gap
from cvdops.executions.states import CHECK_STEP_LOOKS, Look

PATIENCE = timedelta(seconds=3)  # before a page says that no worker comes


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    look: Look
    text: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Test:
    """One test. It is over when it is done, or when nobody will do it any more."""

    check: HostCheck
    steps: tuple[Step, ...]
    gap: Gap | None  # nobody does it, and no worker serves the queue

    @property
    def given_up(self) -> bool:
        return not self.check.done_at and self.check.requested_at < timezone.now() - probes.OLD

    @property
    def over(self) -> bool:
        return self.check.done_at is not None or self.given_up

    @property
    def good(self) -> bool:
        """Whether what it was asked for is there; other doubts do not count."""
        return not self.given_up and probes.is_good(self.check)

    @property
    def telling(self) -> tuple[Step, ...]:
        """What matters for the commands that it was asked for."""
        names = {result["name"] for result in probes.telling(self.check)}
        return tuple(step for step in self.steps if step.name in names)


def shown(check: HostCheck) -> Test:
    return Test(check, tuple(_steps(check)), _gap(check))


def newest(environment: Environment) -> dict[int, HostCheck]:
    """The last test of each host of an environment, by the host's key."""
    found = HostCheck.objects.filter(host__environment=environment).order_by("host_id", "-id")
    return {check.host_id: check for check in found.distinct("host_id")}


def _steps(check: HostCheck) -> Iterable[Step]:
    done = [
        Step(r["name"], CHECK_STEP_LOOKS[r["state"]], r["text"], r["milliseconds"] / 1000)
        for r in check.results
    ]
    if check.done_at:
        return done
    names = {step.name for step in done}
    left = [title for title in probes.titles(check.host) if title not in names]
    first = "begun" if check.begun_at else "pending"
    return [
        *done,
        *(Step(n, CHECK_STEP_LOOKS["pending" if i else first]) for i, n in enumerate(left)),
    ]


def _gap(check: HostCheck) -> Gap | None:
    if check.begun_at or check.done_at or check.requested_at > timezone.now() - PATIENCE:
        return None
    return gap(check.host.environment.queue)
