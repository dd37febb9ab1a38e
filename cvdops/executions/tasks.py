"""The Celery tasks. Each calls a service with ids; a message is a request to look, never an order."""

from uuid import UUID

from celery import shared_task

from cvdops.executions import pulse
from cvdops.executions.looks import LOOKS, TESTS


@shared_task(name="executions.advance", ignore_result=True)
def advance(execution: str) -> None:
    """Look at this execution, in a thread that is none of Celery's: its canaries must find one free."""
    LOOKS.take(UUID(execution))


@shared_task(name="executions.check", ignore_result=True)
def check(host_check: str) -> None:
    """Do this test of a host, in a thread that is none of Celery's either."""
    TESTS.take(UUID(host_check))


@shared_task(name="executions.canary", ignore_result=True)
def canary(worker: str) -> None:
    """Prove that this worker consumes its messages."""
    pulse.consumed(worker)
