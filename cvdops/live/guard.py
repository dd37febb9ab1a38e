"""Whether an open stream may go on: asked again and again, because rights and sessions end."""

import asyncio
import time
from dataclasses import dataclass
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.db import connections
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.module_loading import import_string

from cvdops.access.policy import Matter, Sight, sight
from cvdops.accounts.models import Token, User
from cvdops.executions.models import Execution
from cvdops.executions.queries import visible
from cvdops.executions.states import TERMINAL
from cvdops.lib.errors import NotFound
from cvdops.lib.together import Fixed
from cvdops.live import here
from cvdops.live.answers import reads_answers

EVERY = 8.0  # seconds between two checks of one stream
SHARED = 2.0  # seconds that one answer serves all streams of the same session and execution


@dataclass(frozen=True, slots=True)
class Shown:
    """By what somebody has shown who they are: the key of a session, or the number of a token."""

    session: str = ""
    token: int | None = None


Subject = tuple[Shown, UUID, bool]
_asked: dict[Subject, tuple[float, "asyncio.Future[bool]"]] = {}


async def may_go_on(shown: Shown, execution: UUID, *, answers: bool) -> bool:
    """Whether this session or token is still good and its person may still read the execution.

    `answers`: also what came back to requests.
    """
    subject = (shown, execution, answers)
    now = time.monotonic()
    at, answer = _asked.get(subject, (0.0, None))
    if answer is None or now > at + SHARED or answer.get_loop() is not asyncio.get_running_loop():
        _forget(now)
        answer = asyncio.ensure_future(_ask(shown, execution, answers=answers))
        _asked[subject] = (now, answer)
    return await asyncio.shield(answer)


def _forget(now: float) -> None:
    for subject in [subject for subject, (at, _) in _asked.items() if now > at + SHARED]:
        del _asked[subject]


def _check(shown: Shown, execution: UUID, *, answers: bool) -> bool:
    try:
        return _is_allowed(shown, execution, answers=answers)
    finally:
        connections.close_all()


_ask = sync_to_async(_check, thread_sensitive=False)


def _is_allowed(shown: Shown, execution: UUID, *, answers: bool) -> bool:
    user = _whose(shown)
    if user is None or not user.is_active:
        return False
    try:
        found = standing(user, execution)
    except NotFound:
        return False
    if answers and not reads_answers(user, found.matter):
        return False
    if shown.token is None:  # a program does not look
        here.looks(user, execution)
    return True


def _whose(shown: Shown) -> User | None:
    if shown.token is not None:
        token = Token.objects.usable().select_related("user").filter(pk=shown.token).first()
        return token.user if token else None
    request = HttpRequest()
    # Read, never written: a stream must not prolong the session it runs in.
    request.session = import_string(settings.SESSION_ENGINE + ".SessionStore")(shown.session)
    user = get_user(request)
    return user if isinstance(user, User) else None


@dataclass(frozen=True, slots=True)
class Standing:
    """How far an execution is: all that a stream has to know of it."""

    execution: UUID
    seq: int
    over: bool
    matter: Matter


def standing(user: User, execution_id: UUID | str) -> Standing:
    """Raises NotFound for an execution that this person may not see. Loads none of its long texts."""
    try:
        found = _standing(UUID(str(execution_id)), sight(user))
    except ValueError:
        raise NotFound("execution") from None
    row = next(iter(found), None)
    if row is None:
        raise NotFound("execution")
    return Standing(row[0], row[1], row[2] in TERMINAL, Matter(row[3], row[4]))


@Fixed
def _standing(
    execution_id: UUID, sight: Sight
) -> QuerySet[Execution, tuple[UUID, int, str, str, str]]:
    """The one of this id, where somebody sees it."""
    found = visible(sight).filter(pk=execution_id)
    return found.values_list("pk", "seq", "state", "runbook__category", "environment_id")
