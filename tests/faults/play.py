"""An execution played to its end by a worker and the people that it waits for, in one process.

As a program it is a stage for victims: each line `EXECUTION FAILPOINT` plays in a fork, which dies at that
place; the answer is its exit code.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from subprocess import PIPE, Popen
from uuid import UUID

if __name__ == "__main__":
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "cvdops.settings"
    django.setup()

from django.db import connection
from django.db.models.functions import Now

from cvdops.accounts.models import User
from cvdops.approvals.models import ApprovalRequest
from cvdops.executions import engine, recovery, services
from cvdops.executions.models import Execution, StepRun
from cvdops.lib import failpoints
from cvdops.lib.errors import Conflict

ROUNDS = 40


def play(pk: UUID) -> Execution:
    """Until it is over. Whoever held it before is dead: the leases have run out."""
    for _ in range(ROUNDS):
        _hasten()
        for execution in Execution.objects.filter(finished_at=None).order_by("-pk"):
            engine.advance(execution.pk, f"player:{os.getpid()}")
        recovery.rescue()
        _press()
        execution = Execution.objects.get(pk=pk)
        if execution.is_over:
            recovery.rescue()
            return execution
    raise AssertionError(f"{execution} is {execution.state} still: {execution.waiting_for}")


def _hasten() -> None:
    """As if the seconds before a next try had passed."""
    StepRun.objects.exclude(due_at=None).update(due_at=Now())
    Execution.objects.filter(waiting_for__code="retry").update(due_at=Now())


def _press() -> None:
    """What people are waited for: approve, confirm."""
    for request in ApprovalRequest.objects.filter(state="open"):
        manager = User.objects.get(username="operations-manager")
        with suppress(Conflict):
            services.decide(manager, request.pk, "approve", "", request.plan_digest)
    for execution in Execution.objects.filter(state="waiting", waiting_for__code="person"):
        engineer = User.objects.get(username="devops-engineer")
        step = execution.steps.get(state="waiting")
        open_items = step.checklist.filter(confirmed_at=None).values_list("position", flat=True)
        with suppress(Conflict):
            services.confirm(engineer, execution.pk, step.pk, list(open_items))


def expire_leases() -> None:
    """As if fifteen seconds had passed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE executions_execution SET lease_until = clock_timestamp() - interval '1 s' "
            "WHERE lease_until IS NOT NULL"
        )


class Stage:
    """The test's side of the program."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = Popen(
            [sys.executable, "-m", "tests.faults.play"],
            stdin=PIPE,
            stdout=PIPE,
            text=True,
            bufsize=1,
            env={**os.environ, **environment},
        )

    def victim(self, execution: Execution, failpoint: str) -> int:
        """Play it in a process that dies at this place; its exit code: 0 if it never came there."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{execution.pk} {failpoint}\n")
        return int(self._process.stdout.readline())

    def close(self) -> None:
        with self._process:
            pass  # closes its input and waits


@contextmanager
def stage(**environment: str) -> Iterator[Stage]:
    running = Stage(environment)
    yield running
    running.close()


def main() -> None:
    for line in sys.stdin:
        execution, failpoint = line.split()
        pid = os.fork()
        if pid == 0:
            failpoints.arm(failpoint)
            code = 1
            try:
                play(UUID(execution))
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 — the answer


if __name__ == "__main__":
    main()
