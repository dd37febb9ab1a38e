"""API tokens: made for oneself, for some purposes and for a time; what a program that presents one may do.

A token never gives more than its person has: the policy is asked for the person as always, and this beside it.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.http import HttpRequest

from cvdops.access.rules import no
from cvdops.access.subjects import ALLOWED, Action, Decision
from cvdops.accounts.models import Token, User
from cvdops.audit.log import record
from cvdops.lib.errors import Invalid, NotFound, Problem
from cvdops.lib.moments import rfc3339
from cvdops.lib.statements import cursor

PREFIX = "cvdops_"  # so that one that leaks is recognised
LONGEST = 365  # days
LONGEST_SHARP = 90  # days, of one that administers
USED = timedelta(minutes=1)  # the time of the last use is written at most this often
TOLD = timedelta(hours=1)  # and that it was shown in vain: whoever has it cannot fill the log
_TOKEN = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")
_BEARER = re.compile(rf"[Bb]earer +({_TOKEN.pattern})")


class Scope(StrEnum):
    """What a token is good for."""

    READ = "read"
    RUN = "run"  # start and control executions, confirm steps, write notes
    APPROVE = "approve"  # decide on requests, review versions
    ADMINISTER = "administer"  # change who may do what, where and when: see docs/security.md


_READS = frozenset(
    {
        Action.USE_PORTAL,
        Action.READ_RUNBOOK,
        Action.READ_EXECUTION,
        Action.READ_AUDIT,
        Action.READ_PERMISSIONS,
        Action.READ_ENVIRONMENTS,
        Action.EXAMINE,  # a look mends nothing
    }
)
OPENS: dict[Scope, frozenset[Action]] = {
    Scope.READ: _READS,
    Scope.RUN: frozenset(
        {
            Action.START,
            Action.CONTROL,
            Action.OVERRIDE,
            Action.JOIN,
            Action.ASSIST,
            Action.CLOSE,
            Action.NOTE,
            Action.HAND_OVER,
            Action.TEST_HOST,
            Action.SYNC_CATALOG,
            Action.RESET_PRACTICE,
        }
    ),
    Scope.APPROVE: frozenset({Action.DECIDE, Action.REVIEW_RUNBOOK}),
    Scope.ADMINISTER: frozenset(
        {
            Action.EDIT_ENVIRONMENTS,
            Action.EDIT_SECRETS,
            Action.EDIT_WINDOWS,
            Action.EDIT_PERMISSIONS,
            Action.DECIDE_CHANGE,
            Action.MANAGE_ACCOUNTS,
            Action.KEEP_ACCOUNT,
            Action.CONFIRM_KEY,
            Action.EDIT_CONTACTS,
            Action.CONFIRM_ROUTINE,
            Action.EDIT_TRIGGERS,
            Action.CERTIFY,
            Action.DELEGATE,
            Action.HOLD,
        }
    ),
}


_OF_A_PERSON = [field.attname for field in User._meta.concrete_fields]
# `Token.objects.usable()` in SQL, because every call asks it: to build it anew took longer than to ask it.
_PRESENTED = f"""
    SELECT t.id, t.scopes::text,
           t.used_at IS NULL OR t.used_at < statement_timestamp() - make_interval(secs => %(used)s),
           {", ".join(f"u.{name}" for name in _OF_A_PERSON)}
      FROM accounts_token t JOIN accounts_user u ON u.id = t.user_id
     WHERE t.digest = %(digest)s AND t.revoked_at IS NULL AND t.expires_at > statement_timestamp()
       AND u.is_active
"""  # noqa: S608 — the names are those of the model


def scope_for(action: Action) -> Scope | None:
    """The scope that opens this; None: it is for people at the portal."""
    return next((scope for scope in Scope if action in OPENS[scope]), None)


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who asks by a token, and what for it is good."""

    user: User
    token: int
    scopes: frozenset[Scope]

    def permits(self, action: Action) -> Decision:
        """Whether the token is good for this. What no scope opens is for people at the portal."""
        if any(action in OPENS[scope] for scope in self.scopes):
            return ALLOWED
        needed = scope_for(action)
        if needed is None:
            return no("scope", "This cannot be done with an API token.", "Log in at the portal.")
        return no(
            "scope",
            f"This token is not good for {action.value}: it needs the scope {needed}.",
            "Make another token with that scope.",
        )


def bearer(header: str) -> Bearer | None:
    """Who presents this `Authorization` header; None if nobody does, or the token opens nothing any more."""
    match = _BEARER.fullmatch(header)
    if match is None:
        return None
    with cursor() as asking:
        asking.execute(_PRESENTED, {"digest": _digest(match[1]), "used": USED.total_seconds()})
        row = asking.fetchone()
    if row is None:
        return None
    token, scopes, stale, *person = row
    if stale:
        Token.objects.filter(pk=token).update(used_at=Now())
    known = {scope.value for scope in Scope}
    user = User.from_db(connection.alias, _OF_A_PERSON, person)
    return Bearer(user, token, frozenset(Scope(one) for one in json.loads(scopes) if one in known))


def written_in(text: str) -> list[str]:
    """What looks like a token in it."""
    return _TOKEN.findall(text)


def shown_in_vain(text: str) -> None:
    """Write into the audit log that a token was refused, at most once an hour for each.

    `text`: the header or parameter that it is in. Of one that never was nobody is written.
    """
    match = _TOKEN.search(text)
    if match is None:
        return
    found = Token.objects.select_related("user").filter(digest=_digest(match[0])).first()
    untold = Q(told_at=None) | Q(told_at__lt=Now() - TOLD)
    with transaction.atomic():
        if found and Token.objects.filter(untold, pk=found.pk).update(told_at=Now()):
            data = {"name": found.name, "reasons": [_why(found)]}
            record(found.user, "token.use", "token", found.pk, allowed=False, data=data)


def _why(token: Token) -> str:
    """Why it was refused: a word for the log."""
    if token.revoked_at is not None:
        return "revoked"
    if not token.user.is_active:
        return "deactivated"
    return "in_address" if Token.objects.usable().filter(pk=token.pk).exists() else "expired"


def token_of(request: HttpRequest) -> int | None:
    """The number of the token by which somebody asks; None for a session."""
    found = getattr(request, "bearer", None)
    return found.token if isinstance(found, Bearer) else None


def make(
    user: User, name: str, scopes: Collection[str], days: int, *, proved: bool = False
) -> tuple[Token, str]:
    """A new token for oneself and its text, which nobody can be shown again. Raises Invalid.

    `proved`: who makes it has just entered their password, without which none administers.
    """
    name = name.strip()
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # two of the same name at once
        if problems := _problems(user, name, scopes, days, proved=proved):
            raise Invalid(problems)
        text = PREFIX + secrets.token_urlsafe(32)
        token = Token.objects.create(
            user=user,
            name=name,
            scopes=sorted(set(scopes)),
            digest=_digest(text),
            expires_at=Now() + timedelta(days=days),
        )
        token.refresh_from_db()
        data = {"name": name, "scopes": token.scopes, "expires_at": rfc3339(token.expires_at)}
        record(user, "token.make", "token", token.pk, data=data)
    return token, text


def revoke(by: User, token_id: int) -> Token:
    """End one of one's own, at once and for good. Raises NotFound."""
    with transaction.atomic():
        found = Token.objects.filter(user=by, pk=token_id).first()
        if found is None:
            raise NotFound("token")
        if Token.objects.filter(pk=token_id, revoked_at=None).update(revoked_at=Now()):
            record(by, "token.revoke", "token", token_id, data={"name": found.name})
    return found


def _problems(
    user: User, name: str, scopes: Collection[str], days: int, *, proved: bool
) -> Sequence[Problem]:
    problems = []
    if not name or len(name) > 80:
        problems.append(Problem("name", "Say in up to 80 characters what it is for."))
    elif Token.objects.filter(user=user, name=name, revoked_at=None).exists():
        problems.append(Problem("name", "You have one of this name. Revoke that one first."))
    if not scopes or not set(scopes) <= {scope.value for scope in Scope}:
        text = "Say what it is good for: read, run, approve or administer."
        problems.append(Problem("scopes", text))
    sharp = Scope.ADMINISTER in scopes
    if sharp and not proved:
        text = "One that administers is made under Account at the portal, with your password."
        problems.append(Problem("scopes", text))
    longest = LONGEST_SHARP if sharp else LONGEST
    if not 1 <= days <= longest:
        problems.append(Problem("days", f"It lasts between 1 and {longest} days."))
    return problems


def _digest(text: str) -> str:
    """A plain hash will do: there is nothing to guess in 256 random bits."""
    return hashlib.sha256(text.encode()).hexdigest()
