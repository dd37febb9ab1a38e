"""Planner and moves together, played without a database: whatever happens, no move is illegal."""

from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from cvdops.executions.planner import Do, following
from cvdops.executions.states import (
    ACTIVE,
    EXECUTION_MOVES,
    STEP_DONE,
    STEP_MOVES,
    STEP_STUCK,
    TERMINAL,
    ExecutionEvent,
    Intent,
    Phase,
    StepEvent,
    StepState,
    possible,
)
from cvdops.spec.document import OnFailure, Step
from tests.executions.test_planner import step

E, S = ExecutionEvent, StepEvent
ENDS_OF_WORK = [S.SUCCEED, S.FAIL, S.TIME_OUT, S.INTERRUPT, S.TRY_AGAIN, S.CANCEL]
OF_PEOPLE = [S.RETRY, S.SKIP, S.SETTLE]
OF_GATES = [S.SUCCEED, S.REJECT, S.EXPIRE, S.CANCEL]
LEAVES = {
    Do.ASK: E.WAIT,
    Do.STUCK: E.WAIT,
    Do.DELAY: E.WAIT,
    Do.PAUSE: E.PAUSE,
    Do.CANCEL: E.CANCEL,
    Do.FINISH: E.SUCCEED,
}
ENDED = {
    StepState.REJECTED: E.REJECT,
    StepState.EXPIRED: E.EXPIRE,
    StepState.CANCELLED: E.CANCEL,
}


@dataclass
class View:
    state: str = StepState.PENDING


@dataclass
class Play:
    """An execution in the hands of the planner; `draw` says what happens."""

    definitions: list[Step]
    steps: list[View]
    draw: st.DataObject
    state: str = "queued"
    intent: str = Intent.NONE
    phase: str = Phase.FORWARD

    def pick(self, choices: list[object]) -> object:
        return self.draw.draw(st.sampled_from(choices))

    def move(self, event: ExecutionEvent) -> None:
        assert possible(self.state, event), f"{event} from {self.state}"
        self.state = EXECUTION_MOVES[event].destination

    def step(self, index: int, event: StepEvent) -> None:
        assert self.state in ACTIVE, f"{event} of a step when it is {self.state}"
        assert possible(self.steps[index].state, event), f"{event} from {self.steps[index].state}"
        self.steps[index].state = STEP_MOVES[event].destination

    def work(self, index: int) -> None:
        if self.steps[index].state == StepState.PENDING:
            assert not self.intent, "it began although a stop was asked for"
            people = self.pick([False, False, True])
            self.step(index, S.OPEN if people else S.BEGIN)
        if self.steps[index].state == StepState.RUNNING and self.pick([True, True, False]):
            self.step(index, self.pick(ENDS_OF_WORK))  # else its worker died: it is found running

    def turn(self) -> None:
        """One turn of a worker."""
        if self.state in {"queued", "waiting"}:
            self.move(E.CLAIM_ROLLBACK if self.phase == Phase.ROLLBACK else E.CLAIM)
        todo = following(self.phase, self.intent, self.steps, self.definitions)
        if todo.do is Do.WORK:
            for index in todo.indexes:
                self.work(index)
        elif todo.do is Do.UNDO:
            self.phase = Phase.ROLLBACK
            self.definitions, self.steps = self.definitions[:1], [View()]
            self.move(E.CLAIM_ROLLBACK)
        elif todo.do is Do.END:
            self.move(ENDED[StepState(self.steps[todo.index].state)])
        elif todo.do is Do.FINISH and self.phase == Phase.ROLLBACK:
            self.move(E.FINISH_ROLLBACK)
        else:
            self.move(LEAVES[todo.do])
            self.intent = Intent.NONE if self.state != "waiting" else self.intent

    def people(self) -> None:
        """What somebody does, if there is something to be done."""
        if self.state == "paused":
            self.move(E.RESUME)
        elif self.state == "waiting":
            for index, view in enumerate(self.steps):
                if view.state == StepState.WAITING:
                    self.step(index, self.pick(OF_GATES))
                elif view.state in STEP_STUCK:
                    self.step(index, self.pick(OF_PEOPLE))
            self.move(E.READY)
        elif self.pick([False, False, True]):
            self.intent = self.pick([Intent.PAUSE, Intent.CANCEL])


plans = st.lists(
    st.tuples(
        st.sampled_from(OnFailure), st.booleans(), st.integers(1, 3), st.sampled_from([None, 1])
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=100, deadline=None)
@given(plans, st.data())
def test_no_sequence_of_events_leads_to_an_illegal_move(
    plan: list[tuple[OnFailure, bool, int, int | None]], data: st.DataObject
) -> None:
    definitions = [
        replace(step(on_failure=failure, checkpoint=checkpoint, batch=batch), id=f"s{place}")
        for place, (failure, checkpoint, hosts, batch) in enumerate(plan)
        for _ in range(hosts)
    ]
    play = Play(definitions, [View() for _ in definitions], data)
    for _ in range(60):
        if play.state in TERMINAL:
            break
        play.people()
        play.turn()
    states = {view.state for view in play.steps}
    if play.state == "succeeded":
        assert states <= {*STEP_DONE, StepState.FAILED, StepState.TIMED_OUT}
    if play.state in TERMINAL:
        assert StepState.RUNNING not in states
