"""What attempts leave on their hosts goes as soon as the host can be asked; what may be in use stays."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models.functions import Now
from pytest_django import Settings

from cvdops.doctor import targets
from cvdops.executions import context, jobs, services, tidying
from cvdops.executions.looks import REMAINS
from cvdops.executions.models import Execution, StepAttempt
from cvdops.executions.pulse import Round
from cvdops.lib import failpoints
from cvdops.runners.local import LocalTransport
from cvdops.runners.ssh.transport import SPOOL
from tests.executions.scene import Scene
from tests.executions.test_control import at_work, begun
from tests.executions.test_engine import block
from tests.sshd import Sshd
from tests.waiting import until

QUEUES = ["env.development"]
ENDED = "attempt.finished"  # its end is stored, and its files are there


class Died(BaseException):
    """A worker, at a failpoint."""


@pytest.fixture(autouse=True)
def unarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


def die() -> None:
    raise Died


def files(spool: Path, execution: Execution) -> set[str]:
    """What there is in the job directories beside the claims, which are there."""
    folders = [spool / str(one.pk) for one in StepAttempt.objects.filter(step__execution=execution)]
    assert all((folder / "pid").exists() for folder in folders)
    return {path.name for folder in folders for path in folder.iterdir()} - {"pid"}


def looked_for(execution: Execution) -> bool:
    """Whether anybody comes for the files, as if it was time to. What is due is done."""
    for_later = StepAttempt.objects.filter(step__execution=execution, clean_at__gt=Now())
    assert tidying.due(QUEUES, 9) == []
    if not for_later.update(clean_at=Now()):
        return False
    assert tidying.due(QUEUES, 9) == [execution.pk]
    tidying.tidy(execution.pk)
    return True


def end_while_away(far: Scene, server: Sshd) -> Execution:
    """An execution whose host goes away when the end of its step has been stored."""
    far.runbook(block("one", "echo hello", "target=far"))
    failpoints.arm(ENDED, server.kill)
    return far.run()


def test_a_host_that_was_away_at_the_end_is_asked_until_its_files_are_gone(
    far: Scene, server: Sshd
) -> None:
    spool = server.login.home / SPOOL
    execution = end_while_away(far, server)
    assert execution.state == "succeeded" and "out" in files(spool, execution)
    assert looked_for(execution) and "out" in files(spool, execution)
    server.start()

    def asked_again() -> bool:  # not at once: the connection has just been tried in vain
        return not looked_for(execution)

    until(asked_again, what="the removal of the files")
    assert files(spool, execution) == set()
    assert far.output(execution, "one") == "hello\n"


def test_the_claim_that_keeps_a_cancelled_step_from_beginning_is_no_end_of_it(
    scene: Scene, settings: Settings
) -> None:
    scene.runbook(block("one", "true"))
    failpoints.arm("attempt.sent", die)
    execution = scene.start()
    with pytest.raises(Died):
        scene.advance(execution)
    services.cancel(scene.person("devops-engineer"), execution.pk)
    # as a worker that died before it could record the cancel
    LocalTransport(settings.SPOOL_DIR).start(jobs.nothing(StepAttempt.objects.get()))
    Execution.objects.update(lease_until=execution.created_at)
    assert scene.advance(execution).state == "cancelled"
    assert scene.states(execution) == {"one": "cancelled"}


def test_a_worker_that_died_before_it_removed_them_is_replaced_by_any_other(
    scene: Scene, settings: Settings
) -> None:
    scene.runbook(block("one", "echo hello"))
    failpoints.arm(ENDED, die)
    execution = scene.start()
    with pytest.raises(Died):
        scene.advance(execution)
    assert "out" in files(settings.SPOOL_DIR, execution)
    StepAttempt.objects.update(clean_at=Now())
    REMAINS.open(1)
    Round(QUEUES, "mine.dq").beat()
    assert REMAINS.wait(60)
    assert files(settings.SPOOL_DIR, execution) == set()
    assert not looked_for(execution)


def test_a_host_that_stays_away_is_asked_less_and_less_often_and_then_given_up(
    far: Scene, server: Sshd
) -> None:
    execution = end_while_away(far, server)
    attempt = StepAttempt.objects.filter(step__execution=execution)
    for age, pause in ((1, 60), (600, 600), (86400, 3600)):
        attempt.update(finished_at=Now() - timedelta(seconds=age), clean_at=Now())
        tidying.tidy(execution.pk)
        soon = Now() + timedelta(seconds=pause)
        assert attempt.filter(
            clean_at__gt=soon - timedelta(seconds=30), clean_at__lte=soon + timedelta(seconds=30)
        )
    attempt.update(finished_at=Now() - timedelta(seconds=tidying.GIVEN_UP))
    tidying.tidy(execution.pk)
    assert not looked_for(execution)
    server.start()


def test_what_went_to_another_spool_is_not_said_to_be_gone(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    execution = scene.run()
    StepAttempt.objects.update(spool="that of another machine")
    assert looked_for(execution) and looked_for(execution)


def test_of_a_stop_that_is_seen_later_the_rest_of_the_output_is_stored_before_they_go(
    far: Scene, server: Sshd
) -> None:
    execution = stop_while_away(far, server)
    attempt = StepAttempt.objects.get(step__execution=execution)
    spool = server.login.home / SPOOL
    out = spool / str(attempt.pk) / "out"
    (server.login.home / "go").touch()
    until(lambda: out.read_text().endswith("and more\n"), what="more output")
    server.start()

    def seen() -> bool:
        Execution.objects.filter(pk=execution.pk).update(due_at=execution.created_at)
        return far.advance(execution).state == "cancelled"

    until(seen, what="the confirmation of the stop")
    text = far.output(execution, "one")  # the shell may have said how it ended, too
    assert text.startswith("hello\nand more\n")
    attempt.refresh_from_db()
    assert (attempt.state, attempt.output_size) == ("cancelled", len(text))
    until(lambda: not looked_for(execution), what="the removal of the files")
    assert files(spool, execution) == set()


RUNS_ON = (
    "rm -f ~/go; echo hello; until test -e ~/go; do sleep 0.05; done; echo and more; exec sleep 300"
)


def stop_while_away(far: Scene, server: Sshd, script: str = RUNS_ON) -> Execution:
    """An execution that waits, because the host went away on which its step is to be stopped."""
    far.runbook(block("one", script, "target=far"))
    execution = far.start()
    with at_work(execution):
        begun(far, execution, "one")
        until(lambda: far.output(execution, "one") == "hello\n", what="the first line")
        server.kill()
        services.cancel(far.person("devops-engineer"), execution.pk)
    assert execution.waiting_for["code"] == "unconfirmed"
    return execution


def test_a_step_that_had_ended_before_its_cancel_reached_the_host_is_collected(
    far: Scene, server: Sshd
) -> None:
    spool = server.login.home / SPOOL
    script = "rm -f ~/go; echo hello; until test -e ~/go; do sleep 0.05; done; echo and more"
    execution = stop_while_away(far, server, script)
    attempt = StepAttempt.objects.get(step__execution=execution)
    (server.login.home / "go").touch()
    until((spool / str(attempt.pk) / "rc").exists, what="its end")
    server.start()

    def seen() -> bool:
        Execution.objects.filter(pk=execution.pk).update(due_at=Now())
        return far.advance(execution).is_over

    until(seen, what="the end of the cancel")
    step = far.steps(execution)["one"]
    assert (execution.state, step.state, step.exit_code) == ("cancelled", "succeeded", 0)
    assert step.note == "It had ended by itself before it could be stopped."
    assert far.output(execution, "one") == "hello\nand more\n"
    until(lambda: files(spool, execution) == set(), what="the removal of the files")


@pytest.mark.parametrize(
    ("days", "clean_at", "state"), [(31, None, "warning"), (29, None, "ok"), (31, Now(), "ok")]
)
def test_directories_are_old_when_the_database_says_so(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    days: int,
    clean_at: Now | None,
    state: str,
) -> None:
    """Their names are no times. Nobody is told to remove what a worker still comes for."""
    monkeypatch.setattr(context, "_local", lambda: LocalTransport(scene.folder / "spool"))
    scene.runbook(block("one", "true"))
    scene.run()
    StepAttempt.objects.update(clean_at=None)
    assert targets.hosts()[-1].state == "ok"
    StepAttempt.objects.update(finished_at=Now() - timedelta(days=days), clean_at=clean_at)
    found = targets.hosts()[-1]
    assert found.state == state
    assert state == "ok" or "ended more than 30 days ago: 1 on here." in found.found
