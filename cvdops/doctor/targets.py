"""Hosts: their confirmed keys, whether they answer, and job directories that no attempt explains."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.db.models.functions import Now

from cvdops.doctor.finding import Finding, ok, warning, wrong
from cvdops.doctor.workers import served_here
from cvdops.environments.models import Host
from cvdops.executions import context
from cvdops.executions.models import StepAttempt
from cvdops.executions.targets import target_of
from cvdops.runners.job import Reason, Unreachable

DAYS = 30  # for which an empty job directory is kept, so that its step can never begin again
SHOWN = 10


def host_keys() -> Finding:
    unknown = Host.objects.filter(transport=Host.Transport.SSH, keys=None)
    names = [f"{host.name} of {host.environment_id}" for host in unknown]
    if names:
        return warning(
            "host keys",
            f"Nobody has confirmed a key of {', '.join(names)}.",
            "Steps on them fail before they begin.",
            "Test each on the page Environments, compare the fingerprint, and confirm it.",
        )
    return ok("host keys", "Every host that is reached over SSH has a confirmed key.")


def hosts() -> list[Finding]:
    """What is wrong with each, and then what lies on those that answer."""
    with ThreadPoolExecutor(8) as pool:
        asked = list(pool.map(_ask, Host.objects.select_related("environment")))
    here = served_here()
    troubles = [
        _trouble(one.host, one.error, served=one.host.environment.queue in here)
        for one in asked
        if one.error and one.error.reason is not Reason.KEY_UNKNOWN  # `host_keys` says so
    ]
    return [*troubles, _job_directories(asked)]


def _trouble(host: Host, error: Unreachable, *, served: bool) -> Finding:
    """`served`: a worker of this machine carries out steps there."""
    name = f"host {host.name} of {host.environment_id}"
    if error.reason is Reason.KEY_CHANGED:
        return wrong(
            name,
            error.why,
            "Somebody may be listening in between, or the host was made anew. Nothing is sent to it: steps "
            "there fail before they begin, and nobody sees how those that run end.",
            "Find out why the key has changed. Then test the host on the page Environments, compare the "
            "fingerprint with that on the host itself, and confirm it with the reason.",
        )
    if served:
        return wrong(
            name,
            f"It cannot be reached. {error.why}",
            "Steps there fail before they begin; what runs there goes on, and is read when it answers again.",
            error.remedy,
        )
    return warning(
        name,
        f"It cannot be reached from this machine. {error.why}",
        "If the workers that serve it cannot reach it either, steps there fail before they begin.",
        f"Run `manage.py doctor` on a machine of theirs. {error.remedy}",
    )


def _job_directories(asked: Sequence["Asked"]) -> Finding:
    """A directory without an attempt is of a step that this database has never heard of."""
    mute = [str(one.host) for one in asked if one.error]
    listed = [(str(one.host), attempt) for one in asked for attempt in one.claims]
    attempts = StepAttempt.objects.filter(pk__in={one for _, one in listed})
    known = set(attempts.values_list("pk", flat=True))
    past = attempts.filter(finished_at__lt=Now() - timedelta(days=DAYS), clean_at=None)
    over = set(past.values_list("pk", flat=True))
    stray = sorted({f"{one} on {host}" for host, one in listed if one not in known})
    old = Counter(host for host, one in listed if one in over)
    silence = f" Not asked, because they cannot be reached: {', '.join(mute)}." if mute else ""
    if stray:
        more = f" and {len(stray) - SHOWN} more" if len(stray) > SHOWN else ""
        return wrong(
            "job directories",
            f"No attempt explains {', '.join(stray[:SHOWN])}{more}.{silence}",
            "Steps ran that this database does not know, for instance because a backup was restored.",
            "Read the file `out` in them and see what was done; then remove them.",
        )
    if old:
        return warning(
            "job directories",
            f"Of steps that ended more than {DAYS} days ago: "
            f"{', '.join(f'{number} on {host}' for host, number in old.items())}.{silence}",
            "They cost little; their steps cannot begin again for a long time now.",
            f"Remove those in which nothing has changed for {DAYS} days and that hold only the file `pid`. "
            "One with more in it is of a step whose end nobody saw: look whether it still runs.",
        )
    return ok("job directories", f"Each of the {len(listed)} belongs to an attempt.{silence}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A host: the attempts that have a directory there, or why it cannot be asked."""

    host: Host
    claims: Sequence[UUID] = ()
    error: Unreachable | None = None


def _ask(host: Host) -> Asked:
    try:
        transport = context.transport(target_of(host))
        return Asked(host, [UUID(name) for name in transport.claims()])
    except Unreachable as error:
        return Asked(host, error=error)
    finally:
        connection.close()
