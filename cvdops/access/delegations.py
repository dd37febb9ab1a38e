"""Letting somebody else decide for a time. It never helps round the separation of duties: see `rules`."""

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models.functions import Now

from cvdops.access.models import Delegation, RoleGrant
from cvdops.access.policy import Action
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.environments.calendar import now
from cvdops.lib.errors import Conflict, Invalid, NotFound, Problem
from cvdops.lib.moments import rfc3339

LONGEST = timedelta(days=30)


def delegate(
    giver: User, receiver: str, until: datetime, reason: str, since: datetime | None = None
) -> Delegation:
    """Let the person with this user name decide on the giver's behalf. Raises Invalid, Conflict."""
    other = User.objects.filter(username=receiver, is_active=True).first()
    problems = _problems(giver, other, receiver, until, since, reason)
    if problems or other is None:
        raise Invalid(problems)
    with transaction.atomic():
        with connection.cursor() as cursor:  # two presses of the button: the second waits here
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{giver.pk}"])
        again = Delegation.objects.filter(giver=giver, receiver=other, ended_at=None)
        if again.filter(ends_at__gt=Now()).exists():
            text = f"You have delegated to {other.name} already: end that one first."
            raise Conflict(text)
        times = {"ends_at": until, **({"starts_at": since} if since else {})}
        made = Delegation.objects.create(
            giver=giver, receiver=other, reason=reason.strip(), **times
        )
        data = {"to": other.username, "until": rfc3339(until), "reason": made.reason}
        record(giver, Action.DELEGATE, "delegation", made.pk, data=data)
    return made


def end(user: User, pk: int) -> None:
    """End one of your own delegations, given or received. Raises NotFound, Conflict."""
    with transaction.atomic():
        mine = Delegation.objects.filter(pk=pk).select_related("giver", "receiver").first()
        if mine is None or user not in {mine.giver, mine.receiver}:
            raise NotFound("delegation")
        open_one = Delegation.objects.filter(pk=pk, ended_at=None, ends_at__gt=Now())
        if not open_one.update(ended_at=Now()):
            raise Conflict("This delegation has ended already.")
        data = {"verb": "end", "from": mine.giver.username, "to": mine.receiver.username}
        record(user, Action.DELEGATE, "delegation", pk, data=data)


def _problems(
    giver: User,
    other: User | None,
    typed: str,
    until: datetime,
    since: datetime | None,
    reason: str,
) -> list[Problem]:
    problems = []
    if other is None:
        problems.append(Problem("receiver", f"Nobody active has the user name “{typed:.80}”."))
    elif other.person == giver.person:
        problems.append(Problem("receiver", "Choose somebody else: this is you."))
    holds = RoleGrant.objects.in_force().filter(user=giver).exists()
    if not holds and not giver.approver_groups.exists():
        problems.append(Problem("receiver", "You approve nothing that could be delegated."))
    begins = since or now()
    if until <= max(begins, now()):
        problems.append(Problem("until", "Choose an end that is still to come, after the start."))
    elif until - begins > LONGEST:
        problems.append(Problem("until", f"A delegation lasts {LONGEST.days} days at most."))
    if not reason.strip():
        problems.append(Problem("reason", "Say why: it stands beside each decision made by it."))
    elif len(reason.strip()) > 200:
        problems.append(Problem("reason", "The reason has at most 200 characters."))
    return problems
