"""Your own account: who you are, where you are logged in, the tokens of your programs.

Tokens are made at the portal alone: one that could make others would give more than it was given.
"""

from datetime import datetime

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status

from cvdops.access import sessions as verbs
from cvdops.access import tokens
from cvdops.access.marks import person, requires
from cvdops.access.policy import Action, levels, roles
from cvdops.access.tokens import token_of
from cvdops.accounts.models import Session, Token
from cvdops.accounts.sessions import alive
from cvdops.api.asking import Listed, first, number

router = Router(tags=["accounts"])


class Me(Schema):
    """Who asks, the roles that they hold everywhere, and their level for each category."""

    username: str
    name: str
    roles: list[str]
    levels: dict[str, str]


class SessionShape(Schema):
    """A browser in which you are logged in. `here`: it is the one that asks."""

    id: str
    browser: str
    address: str | None
    began_at: datetime
    seen_at: datetime
    expires_at: datetime
    here: bool


class Sessions(Schema):
    items: list[SessionShape]
    next_cursor: str


class Ended(Schema):
    """How many sessions were ended."""

    ended: int


class TokenShape(Schema):
    """A token that opens something now; its text is never shown again. `here`: it is the one that asks."""

    id: int
    name: str
    scopes: list[str]
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None
    here: bool


class Tokens(Schema):
    items: list[TokenShape]
    next_cursor: str


@router.get("/account", response=Me, url_name="api-account")
@requires(Action.USE_PORTAL)
def me(request: HttpRequest) -> Me:
    """Who you are here."""
    user = person(request)
    held = {category: level.name.lower() for category, level in levels(user).items() if category}
    return Me(username=user.username, name=user.name, roles=sorted(roles(user)), levels=held)


@router.get("/account/sessions", response=Sessions, url_name="api-account-sessions")
@requires(Action.USE_PORTAL)
def sessions(request: HttpRequest) -> Sessions:
    """Where you are logged in, the last used first."""
    here = _session(request)
    return Sessions(items=[_shown(one, here) for one in alive(person(request))], next_cursor="")


@router.post(
    "/account/sessions/{session_id}/end", response={204: None}, url_name="api-account-session-end"
)
@requires(Action.KEEP_ACCOUNT, "POST")
def end_session(request: HttpRequest, session_id: str) -> Status[None]:
    """Log one of your browsers out."""
    verbs.end(person(request), session_id)
    return Status(204, None)


@router.post("/account/sessions/end", response=Ended, url_name="api-account-sessions-end")
@requires(Action.KEEP_ACCOUNT, "POST")
def end_sessions(request: HttpRequest) -> Ended:
    """Log you out everywhere; a session that asks stays."""
    return Ended(ended=verbs.end_others(person(request), _session(request)))


@router.get("/account/tokens", response=Tokens, url_name="api-account-tokens")
@requires(Action.USE_PORTAL)
def list_tokens(request: HttpRequest, wanted: Query[Listed]) -> Tokens:
    """The tokens of your programs that open something, newest first."""
    found = Token.objects.usable().filter(user=person(request)).order_by("-pk")
    if wanted.cursor:
        found = found.filter(pk__lt=number(wanted.cursor))
    page, following = first(found)
    items = [
        TokenShape(
            id=one.pk,
            name=one.name,
            scopes=one.scopes,
            made_at=one.made_at,
            expires_at=one.expires_at,
            used_at=one.used_at,
            here=one.pk == token_of(request),
        )
        for one in page
    ]
    return Tokens(items=items, next_cursor=following)


@router.post(
    "/account/tokens/{int:token_id}/revoke",
    response={204: None},
    url_name="api-account-token-revoke",
)
@requires(Action.KEEP_ACCOUNT, "POST")
def revoke_token(request: HttpRequest, token_id: int) -> Status[None]:
    """End one of your tokens, at once and for good; it may be the one that asks."""
    tokens.revoke(person(request), token_id)
    return Status(204, None)


def _session(request: HttpRequest) -> str | None:
    """The key of the session that asks; None for a token."""
    return None if token_of(request) else request.session.session_key


def _shown(session: Session, here: str | None) -> SessionShape:
    return SessionShape(
        id=session.public_id,
        browser=session.browser,
        address=session.address,
        began_at=session.began_at,
        seen_at=session.seen_at,
        expires_at=session.expire_date,
        here=session.session_key == here,
    )
