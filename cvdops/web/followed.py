"""An execution as `manage.py run` follows it: read from the database."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from cvdops.accounts.models import User
from cvdops.approvals.models import RequestState
from cvdops.approvals.queries import visible
from cvdops.client.following import Away
from cvdops.client.story import Gate, Look, Step
from cvdops.executions import output, queries, services, standstill
from cvdops.executions.models import Execution, StepAttempt
from cvdops.executions.states import ExecutionState
from cvdops.lib.errors import UserError
from cvdops.live.answers import WITHHELD, reads_answers
from cvdops.notifications import addresses
from cvdops.spec.document import Kind
from cvdops.web import approvers

TICK = 0.1  # seconds between two looks whether it has moved
LONGEST = 2.0  # seconds after which it is looked at even if it has not
PIECE = 256 << 10  # bytes of output that are read at once


@dataclass(slots=True)
class Followed:
    """One execution, as this person may see it."""

    user: User
    execution: UUID
    _seq: int = -1
    _answers: bool = False
    _attempts: dict[tuple[str, str, int], UUID] = field(default_factory=dict)

    def look(self) -> Look:
        with _reached():
            found = queries.get_execution(self.user, self.execution)
            self._seq = found.seq
            self._answers = reads_answers(self.user, queries.matter(found))
            return self._look(found)

    def _look(self, found: Execution) -> Look:
        wait = found.waiting_for
        waits = (str(wait.get("code", "")), str(wait.get("text", "")))
        if found.state == ExecutionState.PAUSED:
            waits = (waits[0] or "paused", waits[1] or "somebody resumes it")
        if found.state == ExecutionState.WAITING and found.due_at and waits[0] == "window":
            waits = ("retry", waits[1])  # it begins by itself
        waits = standstill.waits([found]).get(found.pk, waits)
        return Look(
            id=str(found.pk),
            number=found.number,
            url=f"{settings.PORTAL_URL}{addresses.execution(found.pk)}",
            title=found.runbook.title,
            environment=found.environment_id,
            state=found.state,
            outcome=found.outcome,
            wait=waits,
            gates=tuple(self._gates(found)),
            steps=tuple(
                Step(s.key, s.title, s.host, s.state, s.attempt_count, s.exit_code, s.kind)
                for s in queries.steps_of(found)
            ),
        )

    def _gates(self, found: Execution) -> Iterator[Gate]:
        open_ones = visible(self.user).filter(execution_id=found.pk, state=RequestState.OPEN)
        for request in open_ones:
            groups = tuple(
                f"{group.missing} more of {' or '.join(group.approvers)}, now "
                f"{', '.join(group.people) or 'nobody'}"
                for group in approvers.groups(request)
                if group.missing
            )
            where = f"decided at {place(addresses.approval(request.pk))}"
            yield Gate(str(request.pk), request.title, (*groups, where))

    def output(self, step: Step, offset: int) -> bytes:
        if step.kind == Kind.HTTP and not self._answers:
            return f"{WITHHELD}\n".encode() if offset == 0 else b""
        with _reached():
            attempt = self._attempt(step)
            return output.read(attempt, offset, PIECE) if attempt else b""

    def _attempt(self, step: Step) -> UUID | None:
        key = (step.id, step.host, step.attempt)
        if key not in self._attempts:
            of_step = {"step__key": step.id, "step__host": step.host, "number": step.attempt}
            found = StepAttempt.objects.filter(step__execution=self.execution, **of_step).first()
            if found is None:
                return None
            self._attempts[key] = found.pk
        return self._attempts[key]

    def wait(self) -> None:
        until = time.monotonic() + LONGEST
        while time.monotonic() < until:
            time.sleep(TICK)
            with _reached():
                found = Execution.objects.filter(pk=self.execution, seq__gt=self._seq)
                if found.exists():
                    return

    def cancel(self) -> str:
        try:
            with _reached():
                services.cancel(self.user, self.execution, "Cancelled at the command line.")
        except UserError as error:
            return f"It was not cancelled: {error}"
        return "It is being cancelled."

    def how_to_go_on(self, look: Look) -> str:
        return f"Its page: {place(addresses.execution(UUID(look.id)))}"


def place(path: str) -> str:
    """Where a page is, for people: also where the portal does not know under which name it is reached."""
    if settings.PORTAL_URL:
        return f"{settings.PORTAL_URL}{path}"
    return f"{path} of the portal (set CVDOPS_URL to its address, and it stands here)"


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        connection.close()
        raise Away(f"The portal's database cannot be reached: {error}".strip()) from None
