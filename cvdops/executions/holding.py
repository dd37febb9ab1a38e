"""Holds: nothing new starts, of a runbook, in an environment, or at all, until a time or until lifted."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models.functions import Now

from cvdops.access.policy import Action, can, readable_categories
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.catalog.models import Runbook
from cvdops.environments import calendar
from cvdops.environments.models import Environment, Hold
from cvdops.environments.schedule import said
from cvdops.lib.errors import Conflict, Invalid, NotFound, Problem
from cvdops.notifications import addresses
from cvdops.notifications import services as notifications

LONGEST = timedelta(days=366)
MAX_REASON = 500  # characters: it is read on every page


def hold(
    user: User, *, environment: str = "", runbook: str = "", reason: str, until: datetime | None
) -> Hold:
    """Refuse new starts in this environment, of this runbook, or of everything. What runs goes on.

    Raises NotFound, Refused, Invalid.
    """
    can(user, Action.HOLD).enforce()
    problems = _problems(environment, runbook, reason, until)
    if problems or until is None:
        raise Invalid(problems)
    if environment and not Environment.objects.filter(pk=environment).exists():
        raise NotFound("environment")
    if runbook and not _readable(user, runbook):
        raise NotFound("runbook")
    with transaction.atomic():
        made = Hold.objects.create(
            environment_id=environment or None,
            runbook=runbook,
            reason=" ".join(reason.split()),
            owner=user,
            until=until,
        )
        data = {"verb": "set", "what": made.what, "reason": made.reason, "until": str(until)}
        record(user, Action.HOLD, "hold", made.pk, data=data)
        _announce(
            made, "set", f"{user.name} has put a hold on {_openly(made)} until {said(until)}."
        )
    return made


def lift(user: User, pk: int) -> Hold:
    """Let starts happen again before its time. Raises NotFound, Refused, Conflict."""
    can(user, Action.HOLD).enforce()
    with transaction.atomic():
        found = Hold.objects.select_for_update(of=("self",)).filter(pk=pk).first()
        if found is None or (found.runbook and not _readable(user, found.runbook)):
            raise NotFound("hold")
        if not Hold.objects.in_force().filter(pk=pk).update(lifted_at=Now(), lifted_by=user):
            raise Conflict(f"The hold on {found.what} is over already.")
        record(user, Action.HOLD, "hold", pk, data={"verb": "lift", "what": found.what})
        _announce(found, "lift", f"{user.name} has lifted the hold on {_openly(found)}.")
    return found


def _announce(hold: Hold, verb: str, text: str) -> None:
    notifications.announce(key=f"hold:{hold.pk}:{verb}", text=text, path=addresses.holds())


def _openly(hold: Hold) -> str:
    """What it is on, for those who read a channel: they may not know of the runbook."""
    return "a runbook" if hold.runbook else hold.what


def _readable(user: User, runbook: str) -> bool:
    return Runbook.objects.filter(category__in=readable_categories(user), pk=runbook).exists()


def _problems(environment: str, runbook: str, reason: str, until: datetime | None) -> list[Problem]:
    problems = []
    if environment and runbook:
        problems.append(Problem("runbook", "Hold a runbook or an environment, not both at once."))
    if not reason.strip():
        problems.append(Problem("reason", "Say why: whoever wants to start something reads it."))
    if len(reason) > MAX_REASON:
        problems.append(Problem("reason", f"The reason has at most {MAX_REASON} characters."))
    if until is None:
        problems.append(
            Problem("until", "Say until when: a hold that is forgotten ends by itself.")
        )
    elif not timedelta(0) < until - calendar.now() <= LONGEST:
        problems.append(Problem("until", "It ends in the future, within a year."))
    return problems
