"""Whether this process lives, and whether it can do its work."""

from datetime import timedelta

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db.models.functions import Now
from django.http import HttpRequest, JsonResponse

from cvdops.access.marks import requires
from cvdops.access.policy import Action
from cvdops.executions.models import Worker
from cvdops.live.draining import draining

REDIS_TIMEOUT = 0.3  # seconds
WORKER_SEEN_WITHIN = timedelta(seconds=30)


@requires(Action.PUBLIC)
def healthz(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@requires(Action.PUBLIC)
def readyz(_request: HttpRequest) -> JsonResponse:
    """200 if this process stays and database, Redis and a worker answer, else 503; each by name."""
    worker = _worker()
    checks = {
        "staying": not draining(),
        "database": worker is not None,
        "redis": _redis(),
        "worker": bool(worker),
    }
    ready = all(checks.values())
    return JsonResponse(
        {"status": "ok" if ready else "not ready", "checks": checks}, status=200 if ready else 503
    )


def _worker() -> bool | None:
    """Whether a worker was seen lately; None if the database does not answer."""
    try:
        return Worker.objects.filter(left_at=None, seen_at__gte=Now() - WORKER_SEEN_WITHIN).exists()
    except (DatabaseError, InterfaceError):
        return None


def _redis() -> bool:
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=REDIS_TIMEOUT, socket_connect_timeout=REDIS_TIMEOUT
    )
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
