"""Hosts: their confirmed keys, and job directories that no attempt explains."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.db.models.functions import Now

from cvdops.doctor.finding import Finding, ok, warning, wrong
from cvdops.environments.models import Host
from cvdops.executions import context
from cvdops.executions.models import StepAttempt
from cvdops.executions.targets import target_of
from cvdops.runners.job import StartFailed, Unreachable

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


def job_directories() -> Finding:
    """A directory without an attempt is of a step that this database has never heard of."""
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(_claims, Host.objects.all()))
    mute = [host for host, claims in found if claims is None]
    listed = [(host, one) for host, claims in found for one in claims or ()]
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


def _claims(host: Host) -> tuple[str, list[UUID] | None]:
    """None if it cannot be asked."""
    try:
        transport = context.transport(target_of(host))
        return str(host), [UUID(name) for name in transport.claims()]
    except (Unreachable, StartFailed):
        return str(host), None
    finally:
        connection.close()
