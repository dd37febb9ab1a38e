"""A stop that nobody saw and a Lead settled by word: what was there is said when the host answers again."""

import os
import signal
from contextlib import suppress

import pytest
from django.db.models.functions import Now

from cvdops.audit.models import AuditEntry
from cvdops.executions import finishing, services, tidying
from cvdops.executions.models import Execution, StepAttempt
from cvdops.executions.settled import SEEN
from cvdops.live import timeline
from cvdops.runners.ssh.transport import SPOOL
from tests.executions.scene import Scene
from tests.executions.test_remains import left
from tests.executions.test_ssh import left_in_doubt
from tests.executions.test_tidying import RUNS_ON, files, stop_while_away
from tests.faults.truth import processes_of_attempts
from tests.sshd import Sshd
from tests.waiting import until

WORD = "Settled by Operations-Lead: I looked there. far answers again: "


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finishing, "GRACE", 0.2)


def settled(far: Scene, server: Sshd, script: str = RUNS_ON) -> Execution:
    """Cancelled by the word of a Lead, while its host is away. A worker looks there in vain."""
    execution = stop_while_away(far, server, script)
    lead = far.person("operations-lead")
    services.settle(lead, execution.pk, "one", "I looked there.")
    assert far.advance(execution).state == "cancelled"
    assert tidying.due(["env.development"], 9) == [execution.pk]
    look(execution)
    assert far.steps(execution)["one"].note == "Settled by Operations-Lead: I looked there."
    return execution


def look(execution: Execution) -> None:
    StepAttempt.objects.filter(clean_at__isnull=False).update(clean_at=Now())
    tidying.tidy(execution.pk)


def seen(execution: Execution) -> bool:
    look(execution)
    return execution.events.filter(kind=SEEN).exists()


def end_it(execution: Execution) -> None:
    for pids in processes_of_attempts().values():
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    until(lambda: not left(execution), what="its end")


def test_what_still_runs_is_ended_and_that_is_said(far: Scene, server: Sshd) -> None:
    execution = settled(far, server)
    assert left(execution)
    server.start()
    until(lambda: seen(execution), what="a look at the host")
    assert left(execution) == set()
    found = "it still ran there and was ended; its processes are gone, verified."
    step = far.steps(execution)["one"]
    assert (step.state, step.note) == ("cancelled", WORD + found)
    assert step.attempts.get().state == "cancelled"
    assert far.output(execution, "one").startswith("hello\n")
    entry = AuditEntry.objects.get(action=SEEN, subject_id=str(execution.pk))
    assert (entry.actor, entry.data["step"], entry.data["host"]) == (None, "one", "far")
    assert found in entry.data["note"]
    told = [line.text for line in timeline.told(timeline.events(execution.pk))[0]]
    assert f"“one”: far answers again: {found}" in told
    until(lambda: look(execution) or not files(server.login.home / SPOOL, execution), what="room")
    look(execution)
    assert AuditEntry.objects.filter(action=SEEN).count() == 1


def test_what_had_gone_is_said_to_be_gone(far: Scene, server: Sshd) -> None:
    execution = settled(far, server)
    end_it(execution)
    server.start()
    until(lambda: seen(execution), what="a look at the host")
    assert far.steps(execution)["one"].note == WORD + "nothing of it runs there, verified."


def test_what_had_ended_by_itself_says_how(far: Scene, server: Sshd) -> None:
    script = "rm -f ~/go; echo hello; until test -e ~/go; do sleep 0.05; done; echo more; exit 3"
    execution = settled(far, server, script)
    attempt = StepAttempt.objects.get()
    (server.login.home / "go").touch()
    until((server.login.home / SPOOL / str(attempt.pk) / "rc").exists, what="its end")
    server.start()
    until(lambda: seen(execution), what="a look at the host")
    note = far.steps(execution)["one"].note
    assert note == WORD + "it had ended by itself, with exit code 3."
    attempt.refresh_from_db()
    assert (attempt.state, attempt.exit_code) == ("cancelled", 3)
    assert far.output(execution, "one") == "hello\nmore\n"


def test_an_attempt_whose_time_was_up_is_timed_out_as_its_step(far: Scene, server: Sshd) -> None:
    execution = left_in_doubt(far, server)
    step = far.steps(execution)["one"]
    services.settle(far.person("operations-lead"), execution.pk, step.pk, "I looked there.")
    services.retry(far.person("devops-engineer"), far.advance(execution).pk, step.pk)
    server.start()
    until(lambda: seen(execution), what="a look at the host")
    assert (step.attempts.get().state, left(execution)) == ("timed_out", set())
