"""The program: it has everything loaded, and forks for each order. Ends when its input does."""

import gc
import json
import os
import random
import runpy
import select
import selectors
import socket
import sys
import time
from contextlib import suppress
from importlib import import_module, reload
from typing import Any

import django
from django.conf import settings
from django.db import connections
from django.template.loader import get_template
from django.urls import get_resolver
from django.utils.functional import empty

# What a worker and a web server need but `looks`, which makes a name for itself of the number of its
# process, and what takes the settings apart when it is loaded: `celery`, `asgi`.
LOADED = (
    *("celery.bin.celery", "celery.apps.worker", "celery.concurrency.thread"),
    *("kombu.transport.redis", "uvicorn.__main__", "uvicorn.lifespan.off", "uvicorn.loops.auto"),
    *("uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto"),
    *("cvdops.executions.assessments", "cvdops.executions.closing", "cvdops.executions.engine"),
    *("cvdops.executions.indexing", "cvdops.executions.partitions", "cvdops.executions.probes"),
    *("cvdops.executions.recovery", "cvdops.executions.reminders", "cvdops.executions.tidying"),
    *("cvdops.urls", "cvdops.web.gate", "cvdops.web.handler", "cvdops.web.live.delivery"),
)


def rest(seconds: float) -> None:
    select.select([], [], [], seconds)


def load() -> None:
    if "faketime" in os.environ.get("LD_PRELOAD", ""):
        time.sleep = rest  # of Python's own, which end at a moment, that library makes invalid ones
    os.environ["DJANGO_SETTINGS_MODULE"] = "cvdops.settings"
    django.setup()
    for name in LOADED:
        import_module(name)
    import_module("cvdops.api.urls").described()
    folder = settings.BASE_DIR / "templates"
    for path in folder.rglob("*.html"):
        get_template(str(path.relative_to(folder)))
    get_resolver().reverse("home")  # which reads all addresses
    gc.collect()
    gc.freeze()  # what is there stays shared: no fork looks through it


def serve(orders: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Fork for each order. Returns one and its streams in the fork, and nothing at the end."""
    with selectors.DefaultSelector() as ready:
        ready.register(orders, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.data:
                    ready.unregister(key.fd)
                    os.close(key.fd)
                    tell(*key.data)
                    continue
                text, streams, _, _ = socket.recv_fds(orders, 1 << 20, 4)
                if not text:
                    return None
                end = streams.pop()
                pid = os.fork()
                if pid == 0:
                    return json.loads(text), streams
                for stream in streams:
                    os.close(stream)
                ready.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, end))
                orders.send(str(pid).encode())


def tell(pid: int, end: int) -> None:
    """Say how it has ended, if anybody still wants to know."""
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with suppress(BrokenPipeError):
        os.write(end, str(code).encode())
    os.close(end)


def become(environment: dict[str, str], streams: list[int]) -> None:
    """As if this process had just been started, with these streams and in this environment."""
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, 1 << 16)  # what belongs to the nursery
    os.environ.clear()
    os.environ.update(environment)
    random.seed()  # or all would draw the same numbers
    reload(sys.modules["cvdops.settings"])
    settings._wrapped = empty
    connections.__dict__.clear()
    connections.__init__()


load()
with socket.socket(fileno=0) as orders:
    given = serve(orders)
if given is not None:
    order, streams = given
    become(order["environment"], streams)
    sys.argv = order["words"]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
