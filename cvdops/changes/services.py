"""The verbs of changes: submit, confirm, refuse, withdraw. One change at a time, whatever it is about."""

import hashlib
import json
from collections.abc import Mapping
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from cvdops.access.policy import Decision, can
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.changes import telling
from cvdops.changes.kind import Value
from cvdops.changes.kinds import KINDS, kind
from cvdops.changes.models import OPEN_FOR, Change, ChangeState
from cvdops.changes.queries import change_named, decided, overtaken_by, visible
from cvdops.lib.errors import MOVED_ON, Conflict, Invalid, Problem, Reason

_LOCK = 0x43564406  # advisory: who is the last lead is true of all changes together
MAX_TEXT = 2000  # characters of a reason or comment


def mark(value: Value) -> str:
    """A short name of a value: a form carries that of what it was made from."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def may_propose(user: User, kind_name: str, key: str, after: Value) -> Decision:
    """Whether this person may propose this, or make it so where nobody else is needed."""
    what = kind(kind_name)
    allowed = can(user, what.action(key))
    own = user.person in what.about(key, what.current(key), after)
    return _with(allowed, own, OWN)


def may_decide(user: User, change: Change) -> Decision:
    """Whether this person may confirm or refuse an open proposal."""
    what = kind(change.kind)
    decision = can(user, what.action(change.key))
    decision = _with(decision, user.person == change.proposer, _SAME)
    own = user.person in what.about(change.key, change.before, change.after)
    return _with(decision, own, OWN)


def waiting_for(user: User) -> list[Change]:
    """The open proposals that this person may confirm or refuse now, newest first."""
    return [c for c in visible(user, is_open=True) if may_decide(user, c).allowed]


def submit(
    user: User, kind_name: str, key: str, after: Value, reason: str, *, seen: str | None = None
) -> Change:
    """Make it so, or propose it where a second person is needed.

    `seen` is the mark of the value that the person had before them. Raises NotFound, Refused, Invalid,
    Conflict.
    """
    what = kind(kind_name)
    with transaction.atomic():
        one_at_a_time()
        before = what.current(key)
        may_propose(user, kind_name, key, after).enforce()
        if seen is not None and seen != mark(before):
            raise Conflict(overtaken_by(kind_name, key, before), MOVED_ON)
        problems = [*what.check(key, after), *_about_text("reason", reason, needed=True)]
        if problems:
            raise Invalid(problems)
        if after == before:
            text = f"{what.title(key)} is so already. Nothing was changed."
            raise Conflict(text, "It is so already")
        guarded = what.guarded(key, before, after)
        if guarded:
            _refuse_second(kind_name, key)
        change = Change.objects.create(
            kind=kind_name,
            key=key,
            before=before,
            after=after,
            reason=reason.strip(),
            guarded=guarded,
            proposed_by=user,
            proposer=user.person,
        )
        if guarded:
            _audit(user, change, "propose")
            telling.ask(change, _deciders(change))
        else:
            _apply(user, change, "")
    return change


def submit_all(
    user: User, kind_name: str, wanted: Mapping[str, tuple[Value, str]], reason: str
) -> list[Change]:
    """Submit several changes of one kind, all or none: key → the new value, and the mark of what was seen.

    Raises what `submit` raises, and Invalid if there are none.
    """
    if not wanted:
        raise Invalid([Problem("", "Nothing was changed.")])
    with transaction.atomic():
        return [
            submit(user, kind_name, key, after, reason, seen=seen)
            for key, (after, seen) in wanted.items()
        ]


def confirm(user: User, change_id: UUID | str, comment: str = "") -> Change:
    """Make a proposal so, as its second person. Raises NotFound, Refused, Invalid, Conflict.

    One that is overtaken by another change, or whose proposer may not propose it any more, is closed as such.
    """
    with transaction.atomic():
        change = _open(user, change_id, comment)
        problem = _overtaken(change)
        if problem:
            _close(user, change, ChangeState.STALE, problem)
        else:
            _apply(user, change, comment)
    if problem:
        raise Conflict(problem, MOVED_ON)
    return change


def refuse(user: User, change_id: UUID | str, comment: str) -> Change:
    """Say no to a proposal, and why. Raises NotFound, Refused, Invalid, Conflict."""
    with transaction.atomic():
        change = _open(user, change_id, comment, needed=True)
        _close(user, change, ChangeState.REFUSED, comment)
    return change


def withdraw(user: User, change_id: UUID | str) -> Change:
    """Take one's own proposal back. Raises NotFound, Refused, Conflict."""
    with transaction.atomic():
        one_at_a_time()
        change = change_named(user, change_id)
        _with(Decision(), user.person != change.proposer, _NOT_MINE).enforce()
        _refuse_decided(change)
        _close(user, change, ChangeState.WITHDRAWN, "")
    return change


def expire() -> None:
    """Close what nobody has decided in time, and tell who proposed it. Idempotent, by any worker."""
    if not _overdue().exists():
        return
    with transaction.atomic():
        one_at_a_time()
        for change in _overdue().select_related("proposed_by"):
            _close(None, change, ChangeState.EXPIRED, "")


OWN = Reason(
    "own",
    "This is about your own rights: nobody changes those.",
    "Ask another administrator or Operations Lead.",
)
_SAME = Reason(
    "same_person",
    "You proposed this: somebody else has to confirm it.",
    "Ask another administrator or Operations Lead, or withdraw it.",
)
_NOT_MINE = Reason("not_mine", "Only who proposed it can withdraw it.", "Refuse it instead.")


def _overdue() -> QuerySet[Change]:
    return Change.objects.filter(
        state=ChangeState.PROPOSED, kind__in=KINDS, proposed_at__lte=Now() - OPEN_FOR
    )


def _with(decision: Decision, applies: bool, reason: Reason) -> Decision:
    return Decision((*decision.reasons, reason)) if applies else decision


def one_at_a_time() -> None:
    """Until the end of the transaction nobody else changes what decides about rights."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _open(user: User, change_id: UUID | str, comment: str, *, needed: bool = False) -> Change:
    """The proposal, which this person may decide now."""
    one_at_a_time()
    change = change_named(user, change_id)
    may_decide(user, change).enforce()
    _refuse_decided(change)
    if _overdue().filter(pk=change.pk).exists():  # before a worker has come to it
        raise Conflict("It has expired: nobody decided it within 30 days. Propose it anew.")
    if problems := _about_text("comment", comment, needed=needed):
        raise Invalid(problems)
    return change


def _about_text(field: str, text: str, *, needed: bool) -> list[Problem]:
    if needed and not text.strip():
        return [Problem(field, "Say why.")]
    if len(text) > MAX_TEXT:
        return [Problem(field, f"At most {MAX_TEXT} characters.")]
    return []


def _refuse_decided(change: Change) -> None:
    if not change.is_open:
        raise Conflict(decided(change), "It was settled already")


def _refuse_second(kind_name: str, key: str) -> None:
    proposed = Change.objects.filter(kind=kind_name, key=key, state=ChangeState.PROPOSED)
    for old in proposed.filter(pk__in=_overdue()):
        _close(None, old, ChangeState.EXPIRED, "")
    other = proposed.first()
    if other:
        raise Conflict(
            f"{other.proposed_by.name} has proposed a change of {kind(kind_name).title(key)} at "
            f"{other.proposed_at:%Y-%m-%d %H:%M} UTC already. It has to be confirmed, refused or "
            "withdrawn first.",
            "A change is proposed already",
        )


def _overtaken(change: Change) -> str:
    """Why a proposal cannot be confirmed any more, as a sentence."""
    what = kind(change.kind)
    now = what.current(change.key)
    if now != change.before:
        return overtaken_by(change.kind, change.key, now)
    if not may_propose(change.proposed_by, change.kind, change.key, change.after).allowed:
        return f"{change.proposed_by.name} may not propose this any more. Propose it anew."
    if problems := what.check(change.key, change.after):
        return " ".join(problem.message for problem in problems)
    return ""


def _apply(user: User, change: Change, comment: str) -> None:
    """Make it so, and close it; other proposals for the same thing are overtaken by it."""
    kind(change.kind).apply(change.key, change.after)
    _close(user, change, ChangeState.APPLIED, comment)
    others = Change.objects.filter(kind=change.kind, key=change.key, state=ChangeState.PROPOSED)
    for other in others:
        _close(user, other, ChangeState.STALE, "Another change was made first.")


def _close(user: User | None, change: Change, state: ChangeState, comment: str) -> None:
    Change.objects.filter(pk=change.pk, state=ChangeState.PROPOSED).update(
        state=state,
        decided_by=user,
        decider=user.person if user else None,
        decided_at=Now(),
        comment=comment.strip(),
    )
    change.refresh_from_db()
    _audit(user, change, state.value)
    if change.guarded:
        telling.settle(change)


def _deciders(change: Change) -> list[User]:
    """Those who may confirm or refuse it now."""
    others = User.objects.filter(is_active=True).exclude(person=change.proposer).order_by("name")
    return [
        user
        for user in others
        if kind(change.kind).visible(user, change.key) and may_decide(user, change).allowed
    ]


def _audit(user: User | None, change: Change, verb: str) -> None:
    data = {
        "verb": verb,
        "kind": change.kind,
        "key": change.key,
        "before": change.before,
        "after": change.after,
        "reason": change.reason,
        **({"comment": change.comment} if change.comment else {}),
    }
    record(user, kind(change.kind).action(change.key), "change", change.pk, data=data)
