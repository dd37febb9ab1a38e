"""Reading changes as one person may."""

from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Now

from cvdops.accounts.models import User
from cvdops.changes.kind import Value
from cvdops.changes.kinds import KINDS, kind
from cvdops.changes.models import OPEN_FOR, Change, ChangeState
from cvdops.lib.errors import NotFound
from cvdops.lib.together import Fixed

SHOWN = 50


def visible(user: User, *, is_open: bool) -> list[Change]:
    """The open proposals, or what was decided last, of things that exist for this person, newest first.

    One that has expired is open no more, also before a worker has come to it.
    """
    return [c for c in newest(is_open=is_open) if kind(c.kind).visible(user, c.key)]


@Fixed
def newest(*, is_open: bool) -> QuerySet[Change]:
    """The same, for whomever they exist."""
    found = Change.objects.filter(kind__in=KINDS).select_related("proposed_by", "decided_by")
    one_state = found.filter(state=ChangeState.PROPOSED, proposed_at__gt=Now() - OPEN_FOR)
    return (one_state if is_open else found.exclude(state=ChangeState.PROPOSED))[:SHOWN]


def listed(*, is_open: bool | None, kind_name: str = "", key: str = "") -> QuerySet[Change]:
    """The changes of these, newest first, for lists that are read a page at a time. Raises NotFound.

    Every kind of change exists for everybody who is logged in: see their `visible`.
    """
    found = Change.objects.filter(kind__in=KINDS).select_related("proposed_by", "decided_by")
    if is_open is not None:
        waits = found.filter(state=ChangeState.PROPOSED)
        found = waits if is_open else found.exclude(state=ChangeState.PROPOSED)
    if kind_name:
        kind(kind_name)
        found = found.filter(kind=kind_name)
    return found.filter(key=key) if key else found


def history(user: User, kind_name: str, key: str) -> list[Change]:
    """What became of one thing, newest first. Raises NotFound."""
    if not kind(kind_name).visible(user, key):
        raise NotFound(kind(kind_name).CALLED)
    found = Change.objects.filter(kind=kind_name, key=key)
    return list(found.select_related("proposed_by", "decided_by")[:SHOWN])


def change_named(user: User, change_id: UUID | str) -> Change:
    """One of the visible changes. Raises NotFound."""
    try:
        found = Change.objects.select_related("proposed_by", "decided_by").get(
            pk=UUID(str(change_id))
        )
    except (ValueError, Change.DoesNotExist):
        raise NotFound("change") from None
    if found.kind not in KINDS or not kind(found.kind).visible(user, found.key):
        raise NotFound("change")
    return found


def decided(change: Change) -> str:
    """By whom and when it was decided, as a sentence."""
    if change.state == ChangeState.EXPIRED:
        return "This has expired: nobody decided it in time. Propose it anew."
    if change.decided_by is None or change.decided_at is None:
        return "Nobody has decided this yet."
    return (
        f"This is {change.get_state_display().lower()} already, by {change.decided_by.name} at "
        f"{change.decided_at:%Y-%m-%d %H:%M:%S} UTC. Your answer was not recorded."
    )


def overtaken_by(kind_name: str, key: str, now: Value) -> str:
    """What changed a thing since somebody looked at it, as a sentence."""
    what = kind(kind_name)
    last = (
        Change.objects.filter(kind=kind_name, key=key, state=ChangeState.APPLIED)
        .select_related("proposed_by")
        .order_by("-decided_at")
        .first()
    )
    title = what.title(key)
    if last is None or last.after != now or last.decided_at is None:
        return f"{title} is not what it was when this was written. Look at it again."
    said = "; ".join(what.sentences(key, last.before, last.after))
    return (
        f"{last.proposed_by.name} has changed {title} since, at "
        f"{last.decided_at:%Y-%m-%d %H:%M:%S} UTC: {said}. Look at it again."
    )
