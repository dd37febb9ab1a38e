"""Changes as pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from cvdops.changes.kinds import kind
from cvdops.changes.models import Change, ChangeState
from cvdops.executions.states import Look

LOOKS = {
    ChangeState.PROPOSED: Look("Waits for a second person", "user-round-check", "wait"),
    ChangeState.APPLIED: Look("Done", "check", "ok"),
    ChangeState.REFUSED: Look("Refused", "ban", "bad"),
    ChangeState.WITHDRAWN: Look("Withdrawn", "undo-2", "none"),
    ChangeState.STALE: Look("Overtaken", "circle-slash", "none"),
    ChangeState.EXPIRED: Look("Expired", "timer-off", "none"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A change with its thing's name and the difference in words."""

    change: Change

    @property
    def look(self) -> Look:
        return LOOKS[ChangeState(self.change.state)]

    @property
    def title(self) -> str:
        return kind(self.change.kind).title(self.change.key)

    @property
    def address(self) -> str:
        return reverse(kind(self.change.kind).address(self.change.key))

    @property
    def difference(self) -> Sequence[str]:
        c = self.change
        return kind(c.kind).sentences(c.key, c.before, c.after)

    @property
    def consequences(self) -> Sequence[str]:
        """Who would gain and lose what, while it is still to be decided."""
        c = self.change
        return kind(c.kind).consequences(c.key, c.after) if c.is_open else ()


def told(made: Sequence[Change]) -> str:
    """What has become of what somebody submitted."""
    waiting = sum(1 for change in made if change.is_open)
    if not waiting:
        return "It is done." if len(made) == 1 else f"{len(made)} changes are made."
    what = "The change is" if len(made) == 1 else f"{len(made)} changes are"
    return f"{what} proposed. Nothing is different before a second person confirms it."
