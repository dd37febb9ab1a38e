"""Settings without which the engine does not keep its promises: Django's system checks."""

from collections.abc import Iterator
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.checks import Error, register

# Of Celery: a message may be lost, doubled and late, and asks for nothing but a look.
_NEEDED: dict[str, object] = {
    "accept_content": ["json"],
    "task_acks_late": False,
    "task_ignore_result": True,
    "broker_connection_max_retries": None,
    "worker_enable_remote_control": True,
    "worker_direct": True,
}


@register("database")
def persistent_connections(**_: Any) -> list[Error]:
    if not settings.DATABASES["default"].get("CONN_MAX_AGE"):
        return []
    text = "CONN_MAX_AGE is not 0: under ASGI a persistent connection leaks with its thread."
    return [Error(text, hint="Leave it at 0; the pool keeps connections.", id="executions.E001")]


@register("celery")
def messages(**_: Any) -> list[Error]:
    return list(_unlike_needed())


def _unlike_needed() -> Iterator[Error]:
    for name, needed in _NEEDED.items():
        if (value := current_app.conf[name]) != needed:
            text = f"Celery has {name} = {value!r}."
            yield Error(
                text, hint=f"Set it to {needed!r}: see cvdops/celery.py.", id="executions.E002"
            )
    if not current_app.conf.result_backend:
        return
    yield Error(
        "Celery has a result backend, and nobody reads results.",
        hint="Leave it out: it would be one more thing that can be away.",
        id="executions.E003",
    )
