"""The planner: one thing to do, whatever the states are."""

from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from cvdops.executions.planner import Do, following
from cvdops.executions.states import STEP_DONE, Intent, Phase, StepState
from cvdops.spec.document import Attributes, Kind, OnFailure, SectionKind, Step


@dataclass
class View:
    state: str


def step(**attributes: object) -> Step:
    return Step(
        id="s",
        title="S",
        kind=Kind.BASH,
        section=SectionKind.PROCEDURES,
        line=1,
        attributes=Attributes(**attributes),
    )


def plan(*states: StepState, phase: str = Phase.FORWARD, intent: str = "", **attributes: object):
    definitions = [replace(step(**attributes), id=f"s{n}") for n in range(len(states))]
    return following(phase, intent, [View(s) for s in states], definitions)


def lanes(*states: StepState, delayed: tuple[int, ...] = (), **attributes: object):
    """One step on as many hosts."""
    views = [View(s) for s in states]
    return following(Phase.FORWARD, "", views, [step(**attributes)] * len(states), delayed)


def test_begins_the_first_pending_step() -> None:
    found = plan(StepState.SUCCEEDED, StepState.PENDING, StepState.PENDING)
    assert (found.do, found.index) == (Do.WORK, 1)


def test_a_failed_step_waits_for_a_person() -> None:
    assert plan(StepState.FAILED, StepState.PENDING).do is Do.STUCK


def test_on_failure_continue_passes_over() -> None:
    found = plan(StepState.FAILED, StepState.PENDING, on_failure=OnFailure.CONTINUE)
    assert (found.do, found.index) == (Do.WORK, 1)


def test_a_failed_checkpoint_is_never_passed_over() -> None:
    assert plan(StepState.FAILED, on_failure=OnFailure.CONTINUE, checkpoint=True).do is Do.STUCK


def test_a_failure_in_a_rollback_is_never_passed_over() -> None:
    found = plan(StepState.FAILED, phase=Phase.ROLLBACK, on_failure=OnFailure.CONTINUE)
    assert found.do is Do.STUCK


def test_on_failure_rollback_turns_round() -> None:
    assert plan(StepState.FAILED, on_failure=OnFailure.ROLLBACK).do is Do.UNDO


def test_an_interrupted_step_never_rolls_back_by_itself() -> None:
    assert plan(StepState.INTERRUPTED, on_failure=OnFailure.ROLLBACK).do is Do.STUCK


def test_a_pause_lets_the_running_step_be_watched_to_its_end() -> None:
    assert plan(StepState.RUNNING, intent=Intent.PAUSE).do is Do.WORK


def test_a_pause_begins_nothing() -> None:
    assert plan(StepState.PENDING, intent=Intent.PAUSE).do is Do.PAUSE


def test_a_step_begins_on_all_its_hosts_at_once() -> None:
    assert lanes(StepState.PENDING, StepState.PENDING, StepState.PENDING).indexes == (0, 1, 2)


def test_a_batch_begins_when_the_one_before_is_done() -> None:
    s = StepState
    assert lanes(s.SUCCEEDED, s.RUNNING, s.PENDING, s.PENDING, batch=2).indexes == (1,)
    assert lanes(s.SUCCEEDED, s.SUCCEEDED, s.PENDING, s.PENDING, batch=2).indexes == (2, 3)


def test_a_failed_batch_is_the_last_one() -> None:
    s = StepState
    found = lanes(s.SUCCEEDED, s.FAILED, s.PENDING, s.PENDING, batch=2)
    assert (found.do, found.indexes) == (Do.STUCK, (1,))


def test_a_failure_waits_until_the_other_hosts_are_over() -> None:
    assert lanes(StepState.FAILED, StepState.RUNNING).do is Do.WORK


def test_a_try_that_is_not_due_yet_is_waited_for() -> None:
    assert lanes(StepState.SUCCEEDED, StepState.PENDING, delayed=(1,)).do is Do.DELAY


@given(
    st.lists(st.sampled_from(StepState), max_size=8),
    st.sampled_from(Intent),
    st.sampled_from(Phase),
    st.sampled_from(OnFailure),
    st.booleans(),
)
def test_nothing_begins_after_a_step_that_is_not_over(
    states: list[StepState], intent: Intent, phase: Phase, on_failure: OnFailure, checkpoint: bool
) -> None:
    found = plan(*states, phase=phase, intent=intent, on_failure=on_failure, checkpoint=checkpoint)
    passable = STEP_DONE | {StepState.FAILED, StepState.TIMED_OUT}
    if found.do is Do.WORK and states[found.index] == StepState.PENDING:
        assert intent == Intent.NONE
        assert set(states[: found.index]) <= passable


@given(st.lists(st.sampled_from(StepState), max_size=8))
def test_it_finishes_only_when_every_step_is_done(states: list[StepState]) -> None:
    assert (plan(*states).do is Do.FINISH) == (set(states) <= STEP_DONE)
