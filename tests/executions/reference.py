"""The engine in as few words as possible: no leases, no tokens, no crashes. What it must be equal to."""

from dataclasses import dataclass, field

OVER = {"succeeded", "failed", "rejected", "expired", "cancelled", "rolled_back"}
STUCK = {"failed", "timed_out", "interrupted"}
DONE = {"succeeded", "skipped"}
UNDOABLE = {"failed", "rejected", "expired", "cancelled"}
RESULTS = {"ok": "succeeded", "fail": "failed"}


@dataclass
class Reference:
    """One execution: `kinds` are those of its steps; the first one is destructive and has an undo step."""

    kinds: list[str]
    state: str = "queued"
    intent: str = ""
    held: bool = False  # by a worker that died: nobody else may move it …
    free: bool = True  # … and another worker only when the lease has run out
    begun: bool = False  # the step that it left running was not only sent
    phase: str = "forward"
    steps: list[str] = field(default_factory=list)
    undo: list[str] = field(default_factory=list)  # none, or the undo step

    def __post_init__(self) -> None:
        self.steps = ["pending"] * len(self.kinds)

    @property
    def at(self) -> int:
        """The first step that is not done; as many as there are for none."""
        return next((i for i, s in enumerate(self._steps) if s not in DONE), len(self._steps))

    @property
    def current(self) -> str:
        return self._steps[self.at] if self.at < len(self._steps) else ""

    def advance(self) -> None:
        """What a worker does that is not disturbed."""
        asked = self.state == "waiting" and self.intent == "cancel"
        if self.state not in {"queued", "running", "rolling_back"} and not asked:
            return
        self.held, self.free = False, True
        while self.current == "running" or (self.current == "pending" and not self.intent):
            kind = "ok" if self.phase == "rollback" else self.kinds[self.at]
            never = self.current == "running" and self.intent == "cancel" and not self.begun
            left = "cancelled" if never else RESULTS.get(kind, "waiting")
            self._steps[self.at] = left
            if left not in DONE:
                break
        if self.intent == "cancel":
            if self.current == "waiting":
                self._steps[self.at] = "cancelled"
            self.state = "cancelled"
        elif not self.current:
            self.state = "rolled_back" if self.phase == "rollback" else "succeeded"
        elif self.current in {"rejected", "expired", "cancelled"}:
            self.state = self.current
        else:
            self.state = (
                "paused" if self.intent == "pause" and self.current == "pending" else "waiting"
            )
        if self.state != "waiting":
            self.intent = ""

    @property
    def gate_passed(self) -> bool:
        """Whether an approval was given: what is changed after it would be asked for anew."""
        return ("gate", "succeeded") in zip(self.kinds, self.steps, strict=True)

    def press(self, verb: str) -> bool:
        """Whether the verb has an effect, which it then has had."""
        return bool(getattr(self, f"_{verb}")())

    def _approve(self, left: str = "succeeded") -> bool:
        if self.held or self.state != "waiting" or self.current != "waiting":
            return False
        self._steps[self.at], self.state = left, "queued"
        return True

    def _reject(self) -> bool:
        return self._approve("rejected")

    def _expire(self) -> bool:
        return self._approve("expired")

    def _retry(self, left: str = "pending") -> bool:
        if self.held or self.state != "waiting" or self.current not in STUCK:
            return False
        self._steps[self.at], self.state = left, "queued"
        return True

    def _skip(self) -> bool:
        return self._retry("skipped")

    def _settle(self) -> bool:
        return self._retry("succeeded")

    def _give_up(self) -> bool:
        if self.held or self.state != "waiting" or self.current not in STUCK:
            return False
        self.state = "failed"
        return True

    def _pause(self) -> bool:
        if self.held:
            return self._ask("pause")
        if self.state != "queued":
            return False
        self.state = "paused"
        return True

    def _resume(self) -> bool:
        if self.intent == "pause" and self.state not in OVER:
            self.intent = ""
            return True
        if self.state != "paused":
            return False
        self.state = "queued"
        return True

    def _cancel(self) -> bool:
        if self.held:
            return self._ask("cancel")
        if self.state in OVER:
            return False
        if self.state in {"waiting", "paused", "queued"} and self.current == "waiting":
            self._steps[self.at] = "cancelled"
        self.state = "cancelled"
        return True

    def _roll_back(self) -> bool:
        begun = self.steps[0] not in {"pending", "running"}
        undone = self.undo and self.undo[0] in DONE
        if self.held or self.state not in {"waiting", "paused", *UNDOABLE} or not begun or undone:
            return False
        if self.current == "waiting":
            self._steps[self.at] = "cancelled"
        self.undo = self.undo or ["pending"]
        self.phase, self.state = "rollback", "queued"
        return True

    def _ask(self, intent: str) -> bool:
        if self.intent in {intent, "cancel"}:
            return False
        self.intent = intent
        return True

    @property
    def _steps(self) -> list[str]:
        return self.undo if self.phase == "rollback" else self.steps
