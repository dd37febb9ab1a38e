"""Who hears of an approval that is waited for: those who may decide, again when nobody does, then the chain.
What nobody comes to, a proposal too, ends here.

Everything follows from the request and the clock, and each notice is told once by its key: so nothing has
to be remembered, a worker that dies loses nothing, and two that do this at once tell nobody twice.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, Now
from django.utils.text import slugify

from cvdops.access.approvers import people, receivers
from cvdops.access.models import RoleGrant
from cvdops.accounts.models import User
from cvdops.approvals.groups import from_json
from cvdops.approvals.models import ApprovalRequest, RequestState
from cvdops.approvals.services import NOT_NEEDED
from cvdops.changes import services as changes
from cvdops.environments.models import Contact
from cvdops.executions.asking import Asked, asked
from cvdops.executions.deciders import inbox
from cvdops.executions.models import Execution
from cvdops.executions.priorities import Priority, moments
from cvdops.lib.together import Fixed, read
from cvdops.notifications import addresses
from cvdops.notifications import services as notifications
from cvdops.notifications.models import Notice

_ASKED, _REMINDED = 0, 1  # stages
_ENDED = "ended"
_TOLD_OF_THE_END = timedelta(hours=1)
_LOCK = 0x43564404  # advisory: one worker at a time

What = TypeVar("What", int, str)  # a stage, or the end
# A runbook that an emergency starts further down has none of its own that is known here: as the highest.
_PRIORITY = Case(
    When(
        plan__emergency=True,
        then=Coalesce(
            F("emergency__priority"),
            F("parent__execution__emergency__priority"),
            Value(Priority.P0),
        ),
    ),
    default=Value(""),
)


def remind() -> None:
    """Tell of what is waited for, and no more of what is not. Idempotent, by any worker."""
    changes.expire()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s), clock_timestamp()", [_LOCK])
            mine, now = cursor.fetchone()
        if not mine:
            return
        unread, ended, waiting, chain = read(_unread.of(), _ended.of(), _open.of(), _chain.of())
        _settle(unread, waiting)
        untold_ends = _untold([(request, _ENDED) for request in ended])
        for item in asked(request for request, _ in untold_ends):
            _tell_of_the_end(item)
        reached_by_now = [
            (request, reached)
            for request in waiting
            for reached in stages(request, request.priority, len(chain), now)
        ]
        if untold := _untold(reached_by_now):
            _tell(untold, chain)


def _tell(untold: Sequence[tuple[ApprovalRequest, int]], chain: Sequence[Contact]) -> None:
    """Of the stages that these requests have reached."""
    requests = [request for request, _ in untold]
    deciders = _deciders(requests)
    named = {item.request.pk: item for item in asked(requests)}
    for request, reached in untold:
        if reached <= _REMINDED:
            _ask(named[request.pk], reached, deciders.get(request.pk, []))
        else:
            _escalate(named[request.pk], reached, chain[reached - _REMINDED - 1])


def stages(request: ApprovalRequest, priority: str, chain: int, now: datetime) -> list[int]:
    """What is due by now: 0 to ask, 1 to remind, then each contact of a chain of this length. Pure.

    `priority` is that of the emergency, and empty where there is none.
    """
    due = moments(priority, request.created_at, request.expires_at, chain)
    return [_ASKED, *(n for n, at in enumerate(due) if n > _ASKED and at <= now)]


def subject_of(request: ApprovalRequest) -> str:
    """What the notices of a request are about."""
    return f"approval:{request.pk}"


@Fixed
def _open() -> QuerySet[Any]:
    """With the priority of the emergency that each is about; empty for none."""
    about = Execution.objects.filter(pk=OuterRef("execution_id")).values_list(_PRIORITY)
    found = ApprovalRequest.objects.filter(state=RequestState.OPEN).select_related("requested_by")
    return found.annotate(priority=Subquery(about))


@Fixed
def _ended() -> QuerySet[ApprovalRequest]:
    """Those that ended a short time ago, and whose requester should know."""
    ended = ApprovalRequest.objects.filter(closed_at__gt=Now() - _TOLD_OF_THE_END)
    unwanted = Q(state=RequestState.VOID, void_reason__in=("", NOT_NEEDED))
    return ended.exclude(unwanted).select_related("requested_by")


@Fixed
def _chain() -> QuerySet[Contact]:
    return Contact.objects.filter(kind=Contact.Kind.ESCALATION).order_by("order")


@Fixed
def _unread() -> QuerySet[Notice, str]:
    """What the notices are about that ask for a decision, and that somebody has not read."""
    found = Notice.objects.filter(read_at__isnull=True, subject__startswith="approval:")
    return found.exclude(subject__endswith=f":{_ENDED}").values_list("subject", flat=True)


def _untold(events: Sequence[tuple[ApprovalRequest, What]]) -> list[tuple[ApprovalRequest, What]]:
    """Those of which nobody has heard yet. Who asked for a request hears of all, so theirs are looked at."""
    keys = [_key(request, what) for request, what in events]
    requesters = {request.requested_by_id for request, _ in events}
    found = Notice.objects.filter(user__in=requesters, key__in=keys)  # by the index of both
    told = set(found.values_list("key", flat=True))
    return [(request, what) for request, what in events if _key(request, what) not in told]


def _deciders(requests: Iterable[ApprovalRequest]) -> dict[UUID, list[User]]:
    """Request → who may decide it now. Asked of those alone who answer for a name that some of them need."""
    names: dict[str, set[str]] = {}
    for request in requests:
        for group in from_json(request.groups):
            names.setdefault(request.environment, set()).update(group.approvers)
    asked_of = {
        user for place, wanted in names.items() for user in people(tuple(sorted(wanted)), place)
    }
    asked_of |= {given.receiver for given in receivers(tuple(sorted(user.pk for user in asked_of)))}
    found: dict[UUID, list[User]] = {}
    for user in sorted(asked_of, key=lambda one: (one.name, one.pk)):
        for request in inbox(user):
            found.setdefault(request.pk, []).append(user)
    return found


def _ask(item: Asked, reached: int, deciders: list[User]) -> None:
    """Ask those who may decide; who asked for it hears who they are, or that there is nobody."""
    request, called = item.request, item.called
    what = f"{called}, in {request.environment}"
    names = ", ".join(user.name for user in deciders)
    if reached == _ASKED:
        ask = f"{item.mark}{request.requested_by.name} asks for your approval: {what}."
        tell = f"Asked for the approval of {called}: {names}."
    else:
        ask = f"{item.mark}Still waiting for your approval: {what}."
        tell = f"Nobody has decided on {called} yet. Reminded: {names}."
    if not deciders:
        tell = f"Nobody can approve {called} now: ask an Operations Lead to find somebody."
    notifications.tell(
        deciders,
        subject=subject_of(request),
        key=_key(request, reached),
        text=ask,
        path=addresses.approval(request.pk),
    )
    _tell_requester(request, reached, tell)


def _escalate(item: Asked, reached: int, contact: Contact) -> None:
    """Tell the next of the chain. It gives them no right: they see to it that somebody decides."""
    request, called = item.request, item.called
    key, path = _key(request, reached), addresses.approval(request.pk)
    why = "It goes" if item.emergency else "Nobody has decided yet, so this goes"
    text = (
        f"{item.mark}{why} up to {contact.name}: {request.requested_by.name} "
        f"waits for an approval of {called}, in {request.environment}."
    )
    behind = _behind(contact).exclude(pk=request.requested_by_id)
    notifications.note(behind, subject=subject_of(request), key=key, text=text, path=path)
    notifications.write([contact.address], key=key, text=text, path=path)
    _tell_requester(
        request,
        reached,
        f"{called} went up to {contact.name}, who sees to it that somebody decides.",
    )


def _tell_requester(request: ApprovalRequest, what: object, text: str) -> None:
    notifications.note(
        [request.requested_by],
        subject=subject_of(request) if what != _ENDED else f"{subject_of(request)}:{_ENDED}",
        key=_key(request, what),
        text=text,
        path=addresses.execution(request.execution_id),
    )


def _behind(contact: Contact) -> QuerySet[User]:
    """The people behind a contact: those with its address, and those who hold the role of its name."""
    holders = RoleGrant.objects.in_force().filter(role=slugify(contact.name)).values("user")
    return User.objects.filter(Q(email__iexact=contact.address) | Q(pk__in=holders), is_active=True)


def _tell_of_the_end(item: Asked) -> None:
    request, called = item.request, item.called
    word = RequestState(request.state).label.lower()
    decided = list(request.decisions.select_related("user", "on_behalf_of").order_by("at"))
    last = decided[-1] if decided else None
    if request.state == RequestState.VOID:
        text = f"{called}: the request for approval counts no more. {request.void_reason}"
    elif last is None or request.state == RequestState.EXPIRED:
        text = f"{called}: the request for approval has {word}, nobody decided in time."
    else:
        comment = f": {last.comment}" if last.comment else "."
        text = f"{called} was {word} by {last.who}{comment}"
    _tell_requester(request, _ENDED, text)
    for decision in decided:
        if decision.on_behalf_of:
            _tell_giver(
                request, decision.on_behalf_of, f"{decision.user.name} decided for you. {text}"
            )


def _tell_giver(request: ApprovalRequest, giver: User, text: str) -> None:
    """Who let somebody decide for them hears that it was done."""
    key, path = _key(request, _ENDED), addresses.approval(request.pk)
    notifications.note([giver], subject=key, key=key, text=text, path=path)


def _settle(unread: Iterable[str], waiting: Iterable[ApprovalRequest]) -> None:
    """Notices of requests that are open no more."""
    settled = set(unread) - {subject_of(request) for request in waiting}
    notifications.settle(sorted(settled))


def _key(request: ApprovalRequest, what: object) -> str:
    return f"{subject_of(request)}:{what}"
