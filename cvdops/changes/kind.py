"""What every kind of change says about itself: a module of this package with these names in it."""

from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

from cvdops.access.policy import Action
from cvdops.accounts.models import User
from cvdops.lib.errors import Problem

Value = dict[str, Any] | None  # JSON; None: there is no such thing


class Kind(Protocol):
    """One kind of thing that is changed by proposal. `key` names one of them."""

    CALLED: str  # one of them, in a sentence: "level of a role"

    def title(self, key: str, /) -> str:
        """The thing's name, as people read it."""

    def address(self, key: str, /) -> str:
        """Name of the URL where it is seen, to which a decided change leads."""

    def visible(self, user: User, key: str, /) -> bool:
        """Whether the thing exists for this person."""

    def action(self, key: str, /) -> Action:
        """What proposing and confirming a change of it needs. Asked of the policy without a subject."""

    def current(self, key: str, /) -> Value:
        """What it is now. Raises NotFound if no such thing can be."""

    def check(self, key: str, after: Value, /) -> Sequence[Problem]:
        """Everything that is wrong with the new value: unknown fields too, and who would be locked out.

        `Problem.field` names the field of the value.
        """

    def guarded(self, key: str, before: Value, after: Value, /) -> bool:
        """Whether it takes a second person."""

    def about(self, key: str, before: Value, after: Value, /) -> frozenset[UUID]:
        """The persons whose own rights it is about: they neither propose nor decide it."""

    def apply(self, key: str, after: Value, /) -> None:
        """Make it so, inside the transaction of the change. `after` has passed `check`."""

    def sentences(self, key: str, before: Value, after: Value, /) -> Sequence[str]:
        """The difference in words, from the two values alone: the history shows it years later."""

    def consequences(self, key: str, after: Value, /) -> Sequence[str]:
        """Who would gain and who would lose what, as it is now."""
