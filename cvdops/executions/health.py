"""The health of an environment while it is watched after an execution: a look each minute, and the result.

A look is a row that is claimed by being made, so that many workers take one look a minute together, and
one that goes down loses no more than its own.
"""

import json
import select
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta

from django.db import connection
from django.db.models.functions import Now

from cvdops.environments.models import Environment
from cvdops.executions.leases import HOLDS, Leave
from cvdops.executions.models import Closing, Health, HealthSample
from cvdops.runners.http import Answer, Broken, Exchange, NotSent
from cvdops.spec import http
from cvdops.spec.filling import FillError, fill

WATCHED = timedelta(hours=2)
PATIENCE = 10.0  # seconds for an answer
SLOW = 2.0  # seconds after which an answer tells of trouble
KEPT = timedelta(days=90)
_STEP = 0.5  # seconds between two looks at whether this worker is to leave
_BEGUN = "The worker that asked went down or stood still before the answer came."
# What services say of themselves when they answer and are not well.
_UNWELL = frozenset({"degraded", "warn", "warning", "unhealthy", "fail", "failed", "down", "error"})


@dataclass(frozen=True, slots=True)
class Look:
    """How the endpoint answered, as a sentence."""

    outcome: Health
    text: str


class TooSlow(Exception):
    """It is not waited for any longer."""


def take(environment: Environment) -> None:
    """Take this minute's look, unless somebody else does."""
    sample = _claim(environment.pk)
    if sample is None:
        return
    allowed = {str(address) for address in environment.addresses.all()}
    connection.close()  # back to the pool: an answer may take long
    began = time.monotonic()
    try:
        found = ask(environment, allowed)
    except Leave:
        return
    taken = round((time.monotonic() - began) * 1000)
    HealthSample.objects.filter(pk=sample).update(
        outcome=found.outcome, text=found.text, milliseconds=taken, at=Now()
    )
    HealthSample.objects.filter(environment=environment, at__lt=Now() - KEPT).delete()


def _claim(environment: str) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO executions_healthsample (environment_id, minute, outcome, text)
            VALUES (%s, date_trunc('minute', statement_timestamp()), %s, %s)
            ON CONFLICT DO NOTHING RETURNING id
            """,
            [environment, Health.UNSEEN, _BEGUN],
        )
        row = cursor.fetchone()
        return row[0] if row else None


def ask(environment: Environment, allowed: set[str]) -> Look:
    """One request to the endpoint, if it is among the allowed addresses. Raises Leave."""
    try:
        request = fill(http.read(f"GET {environment.health_url}"), {})
    except (http.RequestError, FillError) as error:
        return Look(Health.UNSEEN, f"Nobody asked: the health endpoint is wrong. {error}")
    if request.origin.address not in allowed:
        return Look(
            Health.UNSEEN,
            f"Nobody asked: {request.origin.address} is not among the allowed HTTP addresses of "
            f"{environment}.",
        )
    began = time.monotonic()
    exchange = Exchange(request, f"health-{environment}", Patience(PATIENCE), lambda _: None)
    try:
        answer = exchange.run()
    except TooSlow:
        return Look(Health.UNREACHABLE, f"It did not answer within {PATIENCE:g} s.")
    except (NotSent, Broken) as error:
        return Look(Health.UNREACHABLE, str(error))
    return understood(answer, time.monotonic() - began)


def understood(answer: Answer, seconds: float) -> Look:
    """What an answer says of the service. Pure."""
    if not 200 <= answer.status < 300:
        return Look(Health.DEGRADED, f"It answered {answer.status}.")
    if (status := _status(answer.body)) in _UNWELL:
        return Look(Health.DEGRADED, f"It answered {answer.status}, and says that it is {status}.")
    if seconds > SLOW:
        return Look(Health.DEGRADED, f"It answered {answer.status} only after {seconds:.1f} s.")
    return Look(Health.OK, f"It answered {answer.status}.")


def _status(body: bytes) -> str:
    """The status that a JSON object names; empty for anything else."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return str(said.get("status", "")).lower() if isinstance(said, dict) else ""


def samples(closing: Closing) -> list[HealthSample]:
    """The looks that were taken while it was watched, oldest first."""
    found = HealthSample.objects.filter(environment=closing.execution.environment_id)
    return list(found.filter(at__gte=closing.ended_at, at__lt=closing.watched_until))


def judge(found: Sequence[HealthSample], minutes: int) -> Look:
    """The result of so many minutes: the worst that was seen often enough, or at the end. Pure."""
    seen = [sample for sample in found if sample.outcome != Health.UNSEEN]
    if 2 * len(seen) < minutes:
        text = f"It was seen in {len(seen)} of {minutes} minutes only"
        return Look(Health.UNSEEN, f"{text}{_last(found, seen)}.")
    outcomes = [sample.outcome for sample in seen]
    trouble = [sample for sample in seen if sample.outcome != Health.OK]
    if not trouble:
        return Look(Health.OK, f"It was well in all of {len(seen)} looks.")
    away = outcomes.count(Health.UNREACHABLE)
    at_the_end = outcomes[-1] == Health.UNREACHABLE
    outcome = Health.UNREACHABLE if at_the_end or 2 * away > len(seen) else Health.DEGRADED
    counts = f"{outcomes.count(Health.DEGRADED)} degraded, {away} unreachable"
    last = trouble[-1]
    return Look(
        outcome,
        f"It was well in {outcomes.count(Health.OK)} of {len(seen)} looks: {counts}; "
        f"the last trouble at {last.at.astimezone(UTC):%H:%M} UTC: {last.text}",
    )


def _last(found: Sequence[HealthSample], seen: Sequence[HealthSample]) -> str:
    """Why it was not seen, where that is known."""
    missed = [sample.text for sample in found if sample not in seen]
    return f". {missed[-1].removesuffix('.')}" if missed else ": no worker was there"


class Patience:
    """The `Wait` of a look: for so many seconds altogether, and no longer than this worker stays."""

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds

    def __call__(self, descriptor: int, events: int, seconds: float | None = None) -> bool:
        """Raises TooSlow, Leave."""
        until = self._deadline
        if seconds is not None:
            until = min(until, time.monotonic() + seconds)
        waiting = select.poll()
        waiting.register(descriptor, events)
        while True:
            if HOLDS.draining.is_set():
                raise Leave
            left = until - time.monotonic()
            if waiting.poll(max(0.0, min(left, _STEP)) * 1000):
                return True
            if time.monotonic() >= self._deadline:
                raise TooSlow
            if time.monotonic() >= until:
                return False
