"""Asking the right people for what one may not do oneself."""

from django.db import transaction

from cvdops.access.catalog import get_runbook
from cvdops.access.models import RoleGrant
from cvdops.access.policy import Action, Matter, can
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.environments.models import Environment
from cvdops.lib.errors import Conflict, Invalid, Problem
from cvdops.lib.ids import uuid7
from cvdops.notifications import addresses
from cvdops.notifications import services as notifications
from cvdops.notifications.models import Notice

MAX_NOTE = 200  # characters
MOST = 20  # people


def ask_for_help(user: User, runbook_id: str, environment: str, note: str) -> list[User]:
    """Ask those who may start this there, else those who lead, and say who they are.

    Raises NotFound, Invalid, and Conflict for who asked for the same within the hour.
    """
    runbook = get_runbook(user, runbook_id)
    if not note.strip() or len(note) > MAX_NOTE:
        text = f"Say in at most {MAX_NOTE} characters what you need: it is what they will read."
        raise Invalid([Problem("note", text)])
    if not Environment.objects.filter(pk=environment).exists():
        raise Invalid([Problem("environment", "There is no such environment.")])
    people = _helpers(user, Matter(runbook.category, environment))
    if not people:
        raise Conflict(
            "Nobody who may do this can be asked: call the escalation chain in Contacts."
        )
    subject = f"help:{user.pk}:{runbook.pk}:{environment}"[:80]
    with transaction.atomic():
        if Notice.asked_lately(subject):
            raise Conflict("You have asked for this within the last hour. They know of it.")
        record(
            user,
            "help.ask",
            "runbook",
            runbook.pk,
            data={"environment": environment, "note": note, "asked": [p.username for p in people]},
        )
        notifications.tell(
            people,
            subject=subject,
            key=f"help:{uuid7()}",
            text=f"{user.name} asks for help with {runbook.title} in {environment}: {note.strip()}",
            path=f"{addresses.launch(runbook.pk)}?environment={environment}",
        )
    return people


def _helpers(user: User, matter: Matter) -> list[User]:
    grants = RoleGrant.objects.in_force().for_environment(matter.environment)
    # Nobody reads the notices of a program.
    others = User.objects.filter(is_active=True, service=False).exclude(person=user.person)
    holders = list(others.filter(pk__in=grants.values("user")).order_by("name"))
    able = [other for other in holders if can(other, Action.START, matter).allowed]
    leads = set(grants.filter(role__leads=True).values_list("user", flat=True))
    return (able or [other for other in holders if other.pk in leads])[:MOST]
