"""The Celery application: it carries wake-ups between processes, and nothing that may not be lost.

Redis is emptied or gone at any time: what is due stands in PostgreSQL, and the caller of a
publication ignores its failure. The caller also names the queue (`env.production`, `canary`).
"""

import os
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from celery import Celery, signals
from celery.utils.nodenames import worker_direct
from kombu import Connection

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cvdops.settings")

from django.conf import settings

from cvdops.lib import database
from cvdops.lib.process import close_to_others, settle

# A publication may cost a page at most half a second: two tries, each bounded by the socket.
PUBLISH_SOCKET_TIMEOUT = 0.15
DATABASE_PATIENCE = 10.0  # seconds; a lease lasts longer than one statement may take
TESTS_AT_ONCE = 4  # of hosts, by one worker
ENDS_AT_ONCE = 2  # executions that have ended
REMAINS_AT_ONCE = 4  # executions whose files are removed from their hosts
PUBLISH_RETRY = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}


def broker_url(redis_url: str) -> str:
    """Celery's spelling of a redis-py address: sockets are `redis+socket://`, the rest is equal."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    database = dict(parse_qsl(parts.query)).get("db", "0")
    return f"redis+socket://{parts.netloc}{parts.path}?virtual_host={database}"


class App(Celery):
    """Celery that gives up early when it publishes; consumers wait as long as they must."""

    def connection_for_write(self, url: str | None = None, **kwargs: Any) -> Connection:
        options = kwargs.pop("transport_options", None) or {}
        bounded = {
            "socket_timeout": PUBLISH_SOCKET_TIMEOUT,
            "socket_connect_timeout": PUBLISH_SOCKET_TIMEOUT,
        }
        return super().connection_for_write(url, transport_options=bounded | options, **kwargs)


DEAF = (
    "A worker without gossip, heartbeat and remote control may stay alive and never consume again "
    "after Redis was lost. Leave one of the three on."
)

app = App("cvdops")
app.set_default()  # request threads too publish through this one
app.conf.update(
    broker_url=broker_url(settings.REDIS_URL),
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # 100 by default: then the worker gives up for ever
    broker_transport_options={"socket_keepalive": True},
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_acks_late=False,  # a message only says "look", and workers look without one
    worker_cancel_long_running_tasks_on_connection_loss=True,  # none is acknowledged late: none is cancelled
    task_publish_retry=True,
    task_publish_retry_policy=PUBLISH_RETRY,
    worker_prefetch_multiplier=1,
    worker_direct=True,  # a queue for this worker alone, for the message that proves it consumes
    worker_hijack_root_logger=False,
    timezone="UTC",
)
app.autodiscover_tasks()


def deaf(options: Mapping[str, Any], *, remote_control: bool) -> bool:
    """Whether a worker with these options may never consume again after its Redis was lost."""
    silent = options.get("without_gossip") and options.get("without_heartbeat")
    return bool(silent) and not remote_control


@signals.worker_init.connect
def _lose_patience(**_: object) -> None:
    database.Connection.patience = DATABASE_PATIENCE


@signals.celeryd_after_setup.connect
def _begin_pulse(instance: Any, **_: object) -> None:
    """Before the broker is reached: executions go on without it."""
    if deaf(instance.options, remote_control=instance.app.conf.worker_enable_remote_control):
        sys.stderr.write(f"{DEAF}\n")
        os._exit(2)  # Celery makes a code of 0 of an ordinary exit
    from cvdops.executions.indexing import Indexer  # noqa: PLC0415 (models load after this module)
    from cvdops.executions.leases import HOLDS  # noqa: PLC0415 (models load after this module)
    from cvdops.executions.looks import ENDS, LOOKS, REMAINS, TESTS  # noqa: PLC0415 (models load after this module)
    from cvdops.executions.pulse import LEAVE, Pulse, Round  # noqa: PLC0415

    close_to_others()
    LOOKS.open(instance.concurrency)
    TESTS.open(TESTS_AT_ONCE)
    ENDS.open(ENDS_AT_ONCE)
    REMAINS.open(REMAINS_AT_ONCE)
    direct = worker_direct(instance.hostname).name
    served = [name for name in instance.app.amqp.queues.consume_from if name != direct]
    pulse = Pulse(served, direct)
    pulse.start()
    Round(served, direct).start()
    Indexer().start()
    settle()

    def end(**_: object) -> None:
        HOLDS.drain()  # without a signal too: Celery gives up by itself when its broker fails it
        pulse.left.wait(LEAVE + 1)

    signals.worker_shutdown.connect(end, weak=False)


@signals.worker_shutting_down.connect
def _drain(**_: object) -> None:
    """On TERM every watcher leaves at once; the steps go on, and another worker watches them."""
    from cvdops.executions.leases import HOLDS  # noqa: PLC0415 (models load after this module)

    HOLDS.drain()
