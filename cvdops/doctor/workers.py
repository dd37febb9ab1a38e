"""Workers: whether each environment's queue has one, and whether messages reach them."""

import socket
from datetime import timedelta

from django.db.models import QuerySet
from django.db.models.functions import Now

from cvdops.doctor.finding import Finding, ok, warning, wrong
from cvdops.environments.models import Environment
from cvdops.executions.models import Worker
from cvdops.executions.queues import ALIVE, gap

SILENT = timedelta(seconds=30)


def queues() -> Finding:
    names = [environment.queue for environment in Environment.objects.all()]
    gaps = [found for name in names if (found := gap(name))]
    if not gaps:
        serving = [served for worker in _alive() for served in worker.queues]
        text = ", ".join(f"{name} by {serving.count(name)}" for name in names)
        return ok("queues", f"Workers serve {text}." if text else "There is no environment yet.")
    text = "; ".join(
        f"{g.queue} {f'since {g.since:%Y-%m-%d %H:%M:%S} UTC' if g.since else 'for a day or more'}"
        for g in gaps
    )
    return wrong(
        "queues",
        f"No worker serves {text}.",
        "What is started in these environments waits; steps that run go on unwatched.",
        "Start a worker with these queues after -Q, and read its log if it ends.",
    )


def messages() -> Finding:
    """Canaries come back every few seconds. A worker that hears none ends itself while Redis is there."""
    alive = _alive()
    if not alive:
        return warning(
            "messages",
            "No worker lives that a message could reach.",
            "Whether messages come through is not known.",
            "Start a worker, and look again.",
        )
    deaf = list(alive.filter(consumed_at__lt=Now() - SILENT).values_list("name", flat=True))
    if deaf:
        return warning(
            "messages",
            f"No message has reached {', '.join(deaf)} for half a minute.",
            "Its executions go on, a second later at each turn.",
            "See what is said about Redis. While Redis answers, such a worker ends itself soon.",
        )
    number = len(alive)
    each = f"each of the {number} workers" if number > 1 else "the one worker"
    return ok("messages", f"Messages reach {each}.")


def served_here() -> set[str]:
    """The queues of the workers of this machine."""
    here = _alive().filter(name__startswith=f"{socket.gethostname()}:")
    return {queue for served in here.values_list("queues", flat=True) for queue in served}


def _alive() -> QuerySet[Worker]:
    return Worker.objects.filter(left_at=None, seen_at__gte=Now() - ALIVE)
