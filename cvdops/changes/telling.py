"""Who hears of a proposal: those who may confirm it while it is open, its proposer when it is decided."""

from cvdops.accounts.models import User
from cvdops.changes.kinds import kind
from cvdops.changes.models import Change, ChangeState
from cvdops.notifications import addresses
from cvdops.notifications import services as notifications

_DECIDED = {
    ChangeState.APPLIED: "has confirmed your proposal",
    ChangeState.REFUSED: "has refused your proposal",
}


def ask(change: Change, deciders: list[User]) -> None:
    """Ask for the second person. Inside the transaction that proposes it."""
    notifications.tell(
        deciders,
        subject=subject_of(change),
        key=subject_of(change),
        text=f"{change.proposed_by.name} proposes a change and needs a second person: {_what(change)}.",
        path=addresses.change(change.pk),
    )


def settle(change: Change) -> None:
    """Nobody has to decide it any more; who proposed it hears how it ended. Inside the transaction of that."""
    notifications.settle([subject_of(change)])
    if change.state == ChangeState.EXPIRED:
        _tell_proposer(
            change,
            f"Nobody decided your proposal within 30 days, so it has expired: {_what(change)}. "
            "Propose it anew if it is still needed.",
        )
        return
    by, verb = change.decided_by, _DECIDED.get(ChangeState(change.state))
    if by is None or change.decider == change.proposer:
        return
    comment = f" {change.comment}" if change.comment else ""
    if change.state == ChangeState.STALE:
        _tell_proposer(change, f"Your proposal counts no more: {_what(change)}.{comment}")
    elif verb:
        _tell_proposer(change, f"{by.name} {verb}: {_what(change)}.{comment}")


def _tell_proposer(change: Change, text: str) -> None:
    subject = f"{subject_of(change)}:decided"
    notifications.tell(
        [change.proposed_by],
        subject=subject,
        key=subject,
        text=text,
        path=addresses.change(change.pk),
    )


def subject_of(change: Change) -> str:
    """What the notices of an open proposal are about."""
    return f"change:{change.pk}"


def _what(change: Change) -> str:
    return kind(change.kind).title(change.key)
