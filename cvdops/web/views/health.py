"""Whether this process lives, and whether it can do its work."""

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, JsonResponse

from cvdops.access.marks import requires
from cvdops.access.policy import Action
from cvdops.executions import queues
from cvdops.executions.queues import Sign
from cvdops.live.draining import draining

REDIS_TIMEOUT = 0.3  # seconds


@requires(Action.PUBLIC)
def healthz(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@requires(Action.PUBLIC)
def readyz(_request: HttpRequest) -> JsonResponse:
    """200 if this process stays and its database, Redis and a worker answer, else 503; each by name.

    Pages survive that Redis or the workers are away: the status is `degraded` then. Of the workers nobody
    knows (null) without a database; `worker_seen` says how many seconds ago the last one said that it
    lives, null: none has for a day.
    """
    sign = _sign()
    checks = {
        "staying": not draining(),
        "database": sign is not None,
        "redis": _redis(),
        "worker": sign.alive if sign else None,
    }
    ready, pages = all(checks.values()), checks["staying"] and checks["database"]
    status = "ok" if ready else "degraded" if pages else "not ready"
    ago = sign.ago if sign else None
    told = {"status": status, "checks": checks, "worker_seen": ago and round(ago, 1)}
    return JsonResponse(told, status=200 if ready else 503)


def _sign() -> Sign | None:
    """Of the workers; None if the database does not answer."""
    try:
        return queues.last_sign()
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
