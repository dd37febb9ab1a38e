"""A password that somebody sent: looked at, and what was wrong with it written into the audit log."""

import re

from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from cvdops.accounts.passwords import Answer, check
from cvdops.audit.log import record

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")


@sensitive_variables("password")
def judge(request: HttpRequest, action: str, username: str, password: str) -> Answer:
    """The answer for this account. Of tries that are refused because one has to wait, the first is recorded."""
    answer = check(username, password, request.META.get("REMOTE_ADDR") or "")
    if not answer.user and (answer.wait is None or answer.wait.first):
        # Now and then somebody types a password where the name belongs.
        name = username if _NAME.fullmatch(username) else "not a user name"
        actor = request.user if request.user.is_authenticated else None
        reason = "wait" if answer.wait else "password"
        record(actor, action, "session", name, allowed=False, data={"reasons": [reason]})
    return answer
