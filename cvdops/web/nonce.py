"""The mark of a decision page: a decision counts only from a page that showed this request, to this person.

It is bound to the request, to what it is about, to the session, and to a time; nothing is stored. That it is
used once is kept by the request: a person decides on it once.
"""

import hashlib

from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest

from cvdops.access.marks import person
from cvdops.approvals.models import ApprovalRequest
from cvdops.lib.errors import Conflict

FIELD = "nonce"
MINUTES = 30  # as long as a session may be idle
_SIGNER = TimestampSigner(salt="approval")
_STALE = f"This page is older than {MINUTES} minutes, or is not the one that you were shown. Read it again."


def make(request: HttpRequest, approval: ApprovalRequest) -> str:
    """The mark for the page that this request for it gets."""
    return _SIGNER.sign(_about(request, approval)).partition(":")[2]


def check(request: HttpRequest, approval: ApprovalRequest) -> None:
    """Raises Conflict unless the form carries the mark of a page that is still good."""
    signed = f"{_about(request, approval)}:{request.POST.get(FIELD, '')}"
    try:
        _SIGNER.unsign(signed, max_age=MINUTES * 60)
    except BadSignature:
        raise Conflict(_STALE, "This page does not count") from None


def _about(request: HttpRequest, approval: ApprovalRequest) -> str:
    parts = (
        approval.pk,
        approval.plan_digest,
        approval.present_digest,
        person(request).pk,
        request.session.session_key,
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()
