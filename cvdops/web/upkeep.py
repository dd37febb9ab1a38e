"""What has to be kept in order by the one who may: approval policies, routines, certifications."""

from collections.abc import Iterator
from dataclasses import dataclass

from cvdops.access.models import Certification
from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.approvals import quorum
from cvdops.approvals.models import ApprovalPolicy
from cvdops.executions import assessments, routines
from cvdops.lib.together import Wanted


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What of it waits for one person."""

    policies: list[tuple[ApprovalPolicy, str]]  # that nobody could meet, and why
    routines: list[routines.Standing]  # that should have been done, the oldest first
    own_end: Certification | None  # their own certification, if it ends soon or has ended
    to_assess: list[Certification]  # those of others

    @property
    def count(self) -> int:
        return len(self.policies) + sum(map(bool, (self.routines, self.own_end, self.to_assess)))


def upkeep(user: User) -> Upkeep:
    edits = can(user, Action.EDIT_PERMISSIONS).allowed
    ending = assessments.due()
    certifies = bool(ending) and can(user, Action.CERTIFY).allowed
    return Upkeep(
        policies=quorum.stuck() if edits else [],
        routines=routines.overdue() if can(user, Action.CONFIRM_ROUTINE).allowed else [],
        own_end=next((one for one in ending if one.user_id == user.pk), None),
        to_assess=[one for one in ending if certifies and one.user.person != user.person],
    )


def reads(user: User) -> Iterator[Wanted]:
    """What it reads, for a page that reads more together with it."""
    yield assessments.due.of()
    if can(user, Action.EDIT_PERMISSIONS).allowed:
        yield from quorum.reads()
    if can(user, Action.CONFIRM_ROUTINE).allowed:
        yield from routines.reads()
