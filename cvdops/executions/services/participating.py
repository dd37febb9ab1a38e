"""Taking part in an execution: join, leave, hand it over."""

from uuid import UUID

from django.db import transaction

from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.executions import participants, waits
from cvdops.executions.hints import announce, wake
from cvdops.executions.models import Execution, Participant
from cvdops.executions.participants import JOIN_NEEDS, Part, with_people
from cvdops.executions.queries import get_execution, matter, plain_matter
from cvdops.executions.services.effect import one_effect
from cvdops.executions.states import ExecutionEvent, ExecutionState
from cvdops.executions.transitions import Hand
from cvdops.lib.errors import Conflict, Invalid, Problem
from cvdops.notifications import services as notifications


def join(user: User, execution_id: UUID | str, part: str) -> None:
    """Take part as observer, assistant or supervisor. A supervisor lets a start go on that waits for one."""
    execution = get_execution(user, execution_id)
    if part not in JOIN_NEEDS:
        raise Invalid([Problem("part", "Join as observer, assistant or supervisor.")])
    wanted = Part(part)
    can(user, JOIN_NEEDS[wanted], matter(execution)).enforce()
    with one_effect(execution), transaction.atomic():
        locked = _lock(execution)
        mine = next((p for p in participants.here(execution.pk) if p.user == user), None)
        if mine and mine.part in {wanted, Part.OPERATOR}:
            raise Conflict(f"You take part already, as {mine.get_part_display().lower()}.")
        if wanted is Part.SUPERVISOR:
            _refuse_oneself(execution, user)
        participants.enter(execution.pk, user, wanted)
        hand = Hand(execution.pk, actor=user)
        seq = hand.change("participant.join", {"part": wanted, "text": wanted.label.lower()})
        if wanted is Part.SUPERVISOR and _waits_for_supervisor(locked):
            seq = hand.move(ExecutionEvent.READY, waiting_for={})
            notifications.settle([f"supervise:{execution.pk}"])
            wake(execution.pk, execution.environment.queue)
        announce(execution.pk, seq)
        record(
            user,
            JOIN_NEEDS[wanted],
            "execution",
            execution.pk,
            data={"verb": "join", "part": wanted},
        )


def leave(user: User, execution_id: UUID | str) -> None:
    """Take part no longer. Whoever runs it hands it over first; nobody is left without supervision."""
    execution = get_execution(user, execution_id)
    with transaction.atomic():
        locked = _lock(execution)
        present = participants.here(execution.pk)
        mine = next((p for p in present if p.user == user), None)
        if mine is None:
            raise Conflict("You do not take part in it.")
        if not locked.is_over:
            _refuse_to_let_go(execution, present, mine)
        participants.leave(execution.pk, user)
        announce(execution.pk, Hand(execution.pk, actor=user).change("participant.leave"))
        data = {"verb": "leave", "part": mine.part}
        record(user, Action.READ_EXECUTION, "execution", execution.pk, data=data)


def hand_over(user: User, execution_id: UUID | str, username: str, comment: str = "") -> None:
    """Let somebody else go on with it: they run it from now on, and close it."""
    execution = get_execution(user, execution_id)
    about = matter(execution)
    can(user, Action.HAND_OVER, about).enforce()
    other = User.objects.filter(username=username, is_active=True).first()
    if other is None or not can(other, Action.CONTROL, about).allowed:
        text = "Choose somebody who may execute this runbook here now."
        raise Invalid([Problem("username", text)])
    with transaction.atomic():
        _lock(execution)
        former = participants.operator(execution.pk).user
        if former == other:
            raise Conflict(f"{other.name} runs it already.")
        participants.leave(execution.pk, former)
        participants.enter(execution.pk, other, Part.OPERATOR)
        data = {"from": former.username, "to": other.username, "text": other.name}
        seq = Hand(execution.pk, actor=user).change(
            "participant.hand_over", {**data, "comment": comment}
        )
        announce(execution.pk, seq)
        data = {"verb": "hand_over", **data, "comment": comment}
        record(user, Action.HAND_OVER, "execution", execution.pk, data=data)


def _lock(execution: Execution) -> Execution:
    """The execution's row first, as for every verb."""
    found = Execution.objects.select_for_update().only("state", "waiting_for")
    return found.get(pk=execution.pk)


def _waits_for_supervisor(execution: Execution) -> bool:
    pending = execution.state == ExecutionState.PENDING
    return pending and execution.waiting_for.get("code") == waits.SUPERVISOR


def _refuse_oneself(execution: Execution, user: User) -> None:
    if participants.operator(execution.pk).user.person == user.person:
        raise Conflict("Nobody supervises themselves: somebody else joins as supervisor.")


def _refuse_to_let_go(execution: Execution, present: list[Participant], mine: Participant) -> None:
    """Raises Conflict for the operator, and for the supervisor without whom the operator may not go on."""
    if mine.part == Part.OPERATOR:
        raise Conflict("You run it. A Lead hands it over to somebody else, or it comes to its end.")
    if mine.part != Part.SUPERVISOR:
        return
    runs = next(p.user for p in present if p.part == Part.OPERATOR)
    others = [p for p in present if p != mine]
    alone = can(runs, Action.CONTROL, with_people(plain_matter(execution), others))
    if "supervision" in {reason.code for reason in alone.reasons}:
        raise Conflict(
            f"{runs.name} works under your supervision: let somebody else join as supervisor first, "
            "or hand it over."
        )
