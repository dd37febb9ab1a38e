"""The running check of the chain, by any worker once a minute: a part of the links each time, and its head.

`manage.py verify_audit` checks all at once, against everything that was ever noted outside the database.
"""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from cvdops.audit import chain, heads
from cvdops.audit.chain import Head, Walk
from cvdops.audit.models import Seal, Witness

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=55)  # a worker asks each minute; two of them do not do it twice
PART = 5000  # links: a tenth of a second


def standing() -> Witness:
    """How it stands; all zero if no worker has looked yet."""
    return Witness.objects.filter(pk=1).first() or Witness(pk=1)


def look() -> bool:
    """Check the next part and note the head, unless another worker did so a short time ago."""
    Witness.objects.get_or_create(pk=1)
    with transaction.atomic():
        due = Witness.objects.filter(Q(looked_at=None) | Q(looked_at__lt=Now() - EVERY))
        witness = due.select_for_update(skip_locked=True).first()
        if witness is None:
            return False
        _check(witness)
        _note(witness)
        witness.looked_at = Now()
        witness.save()
    return True


def _check(witness: Witness) -> None:
    part = list(chain.links(witness.number, PART))
    walk = Walk(Head(witness.number, bytes(witness.hash))).over(part, {})
    if walk.problem:
        _tell(witness, walk.problem)
    elif len(part) == PART:
        witness.number, witness.hash = walk.head.number, walk.head.hash
        return
    elif problem := chain.unsealed():
        _tell(witness, problem)
    else:
        witness.whole_number, witness.whole_at, witness.problem = walk.head.number, Now(), ""
    witness.number, witness.hash = 0, b""


def _note(witness: Witness) -> None:
    """Write the head outside, if it is another one; the last that was written has to be there still."""
    newest = Seal.objects.order_by("-pk").first()
    try:
        last = heads.newest()
        if last and last.hash and not Seal.objects.filter(pk=last.number, hash=last.hash).exists():
            _tell(
                witness,
                f"Number {last.number} of the chain is not what was noted outside the database at {last.when}: "
                "entries were removed, or the chain was made anew.",
            )
        elif newest and (last is None or last.number != newest.number):
            heads.note(Head(newest.number, bytes(newest.hash)))
            witness.noted_at = Now()
        witness.outside = ""
    except (OSError, heads.HeadsUnreadable) as error:
        log.warning("The head of the audit log cannot be noted outside the database: %s", error)
        witness.outside = str(error)


def _tell(witness: Witness, problem: str) -> None:
    if witness.problem != problem:
        log.error("The audit log is not whole: %s", problem)
    witness.problem = problem
