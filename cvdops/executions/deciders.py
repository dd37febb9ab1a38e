"""Who may decide at a gate: what the policy is asked, with those who have a part in the execution."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from cvdops.access import approvers
from cvdops.access.policy import Action, Decision, Gate, Matter, at_gates, can, named
from cvdops.access.rules import may_decide
from cvdops.access.standing import Standing
from cvdops.accounts.models import User
from cvdops.approvals import counting
from cvdops.approvals.groups import Group, from_json
from cvdops.approvals.models import ApprovalRequest, RequestState
from cvdops.approvals.models import Decision as Spoken
from cvdops.approvals.queries import visible
from cvdops.environments import calendar
from cvdops.environments.schedule import said
from cvdops.executions.separation import Involved, involved
from cvdops.lib.errors import Reason
from cvdops.lib.together import Wanted


def inbox(user: User) -> list[ApprovalRequest]:
    """The open requests that this person may decide now."""
    found = visible(user).filter(state=RequestState.OPEN)
    requests = list(found.exclude(decisions__person=user.person).prefetch_related(None))
    if not requests:
        return []
    return decidable(at_gates(user), requests)


def decidable(standing: Standing, requests: Iterable[ApprovalRequest]) -> list[ApprovalRequest]:
    """Those of these requests that somebody may decide who stands so at gates."""
    # Only for those that are this person's to decide at all: who has a part in them takes some reading.
    theirs = [r for r in requests if may_decide(standing, _gate(r, {}))]
    return [
        request
        for request, gate in zip(theirs, gates_of(theirs), strict=True)
        if may_decide(standing, gate)
    ]


def may_decide_on(user: User, request: ApprovalRequest, at: datetime | None) -> Decision:
    """Whether this person could decide there now or at a time, with all that stands against it."""
    gate = gate_of(request)
    sees = can(user, Action.READ_EXECUTION, gate.matter, at)
    may = can(user, Action.DECIDE, gate, at)
    return Decision((*sees.reasons, *may.reasons, *_too_late(user, request, at)))


def _too_late(user: User, request: ApprovalRequest, at: datetime | None) -> Iterator[Reason]:
    """Why nothing can be said there any more, by this person or by anybody."""
    if request.state != RequestState.OPEN:
        word = RequestState(request.state).label.lower()
        text = f"This request is {word} already: nobody decides it any more."
        yield Reason("settled", text, "What is asked for anew is a request of its own.")
    elif request.expires_at <= (at or calendar.now()):
        text = (
            f"This request expires on {said(request.expires_at)}: nobody decides it from then on."
        )
        yield Reason("expired", text, "Decide before that, or start the execution anew.")
    if Spoken.objects.filter(request=request, person=user.person).exists():
        text = "You have decided here already: each person decides once."
        yield Reason("decided", text, "Somebody else of the approvers decides, if more are needed.")


def gate_of(request: ApprovalRequest) -> Gate:
    """What the policy has to know to say who may decide."""
    return gates_of([request])[0]


def gates_of(requests: Iterable[ApprovalRequest]) -> list[Gate]:
    """The same for many, in their order."""
    found = list(requests)
    parts = involved(frozenset(r.execution_id for r in found)) if found else {}
    return [_gate(request, parts[request.execution_id]) for request in found]


def _gate(request: ApprovalRequest, parts: Involved) -> Gate:
    names = frozenset(name for group in from_json(request.groups) for name in group.approvers)
    asked: dict[UUID, str] = {request.requested_by.person: "asked for it"}
    return Gate(Matter(request.category, request.environment), names, {**asked, **parts})


def progress(request: ApprovalRequest) -> list[tuple[Group, int]]:
    """For each group: how many are missing, when only those count who may decide there now."""
    return counting.progress(request, gate_of(request).involved)


def reads(request: ApprovalRequest) -> Iterator[Wanted]:
    """What `progress` and `people` read, for a page that reads more together with it."""
    approved = (d for d in request.decisions.all() if d.verdict == Spoken.Verdict.APPROVE)
    users = {d.on_behalf_of_id or d.user_id for d in approved}
    yield named.of()
    yield counting.approving.of(request.pk)
    yield from approvers.reads(users, request.environment)
    for group in from_json(request.groups):
        yield approvers.people.of(group.approvers, request.environment)
        yield approvers.delegates.of(group.approvers, request.environment)


def people(request: ApprovalRequest, names: Iterable[str]) -> tuple[str, ...]:
    """Who could decide for these names of approvers now, then those who do it for somebody alone."""
    parts = gate_of(request).involved
    asked = (tuple(names), request.environment)
    free = {user.person: user.name for user in approvers.people(*asked) if user.person not in parts}
    for_them = [
        f"{d.receiver.name} for {d.giver.name}"
        for d in approvers.delegates(*asked)
        if d.giver.person in free and d.receiver.person not in {*parts, *free}
    ]
    return (*free.values(), *for_them)
