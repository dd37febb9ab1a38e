"""Granting a rung of the onboarding ladder, with the evidence that there was."""

from django.db import transaction
from django.db.models.functions import Now

from cvdops.access.certification import VALID, Stage, following
from cvdops.access.models import Certification
from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.executions import evidence
from cvdops.lib.errors import Invalid, NotFound, Problem, Reason, Refused

MAX_NOTE = 2000  # characters
_OWN = Reason(
    "own", "Nobody certifies themselves.", "Another Operations Lead looks at what you have done."
)


def certify(user: User, username: str, stage: str, note: str = "") -> Certification:
    """Put this person on a rung until the next annual assessment. Raises NotFound, Refused, Invalid.

    A note is needed unless it is the next rung and everything that leads there was done.
    """
    can(user, Action.CERTIFY).enforce()
    with transaction.atomic():
        them = User.objects.select_for_update().filter(username=username, is_active=True).first()
        if them is None:
            raise NotFound("person")
        if them.person == user.person:
            raise Refused([_OWN])
        wanted = _stage(stage)
        before = evidence.stage_of(them)
        found = evidence.toward(before, evidence.record_of(them, user))
        earned = wanted is following(before) and all(one.met for one in found)
        problems = []
        if not earned and not note.strip():
            text = "Say why: not everything that leads to this rung was done."
            problems.append(Problem("note", text))
        if len(note) > MAX_NOTE:
            problems.append(Problem("note", f"A note has at most {MAX_NOTE} characters."))
        if problems:
            raise Invalid(problems)
        made = Certification.objects.create(
            user=them,
            stage=wanted,
            granted_by=user,
            expires_at=Now() + VALID,
            note=note.strip(),
            evidence=[str(one) for one in found],
        )
        data = {"before": before.label, "after": wanted.label, "note": made.note}
        data["evidence"] = made.evidence
        record(user, Action.CERTIFY, "person", them.username, data=data)
    return made


def _stage(text: str) -> Stage:
    try:
        return Stage(int(text[:2]))
    except ValueError:
        raise Invalid([Problem("stage", "Choose one of the rungs.")]) from None
