"""The moves: what no sequence of events can reach."""

from hypothesis import given
from hypothesis import strategies as st

from cvdops.executions.states import (
    EXECUTION_LOOKS,
    EXECUTION_MOVES,
    STEP_LOOKS,
    STEP_MOVES,
    STEP_OVER,
    UNDOABLE,
    ExecutionEvent,
    ExecutionState,
    StepEvent,
    StepState,
    possible,
)


def test_every_event_is_a_move_and_every_state_has_a_look() -> None:
    assert set(EXECUTION_MOVES) == set(ExecutionEvent)
    assert set(STEP_MOVES) == set(StepEvent)
    assert set(EXECUTION_LOOKS) == set(ExecutionState)
    assert set(STEP_LOOKS) == set(StepState)


def test_success_is_final() -> None:
    assert not [event for event in ExecutionEvent if possible(ExecutionState.SUCCEEDED, event)]


def test_a_rollback_in_part_can_only_be_rolled_back_further() -> None:
    found = [event for event in ExecutionEvent if possible(ExecutionState.ROLLED_BACK, event)]
    assert found == [ExecutionEvent.ROLL_BACK]


def test_an_end_that_can_be_undone_leads_only_back_or_on_by_a_plan() -> None:
    for state in UNDOABLE:
        found = {event for event in ExecutionEvent if possible(state, event)}
        assert found - {ExecutionEvent.RESUME_FROM} == {ExecutionEvent.ROLL_BACK}


@given(st.lists(st.sampled_from(StepEvent), max_size=20))
def test_a_step_succeeds_only_from_running_waiting_or_by_a_person(events: list[StepEvent]) -> None:
    state = StepState.PENDING
    for event in events:
        if not possible(state, event):
            continue
        before, state = state, StepState(STEP_MOVES[event].destination)
        if state == StepState.SUCCEEDED:
            assert event == StepEvent.SETTLE or before in {StepState.RUNNING, StepState.WAITING}
        if before in STEP_OVER and state == StepState.RUNNING:
            raise AssertionError(f"{before} ran again without being set back first")
