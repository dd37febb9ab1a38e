"""Who has an account, for administrators."""

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.accounts.models import User
from cvdops.accounts.sessions import alive
from cvdops.api.asking import Asked, Flag, Listed, Text, first, number
from cvdops.api.sharp import sharp
from cvdops.changes import accounts as verbs

router = Router(tags=["accounts"])


class Account(Schema):
    username: str
    name: str
    email: str
    active: bool
    service: bool
    password_given: bool
    created_at: datetime
    sessions: int

    @classmethod
    def of(cls, user: User) -> "Account":
        return cls(
            username=user.username,
            name=user.name,
            email=user.email,
            active=user.is_active,
            service=user.service,
            password_given=user.password_given,
            created_at=user.created_at,
            sessions=alive(user).count(),
        )


class Opened(Account):
    """`password` is shown now and never again; it has to be changed at the first login."""

    password: str


class Accounts(Schema):
    items: list[Account]
    next_cursor: str


class New(Asked):
    """`same_as` is another account of the same human, by whom separation of duties counts."""

    username: Annotated[Text, Field(max_length=80)]
    name: Annotated[Text, Field(max_length=120)]
    email: Annotated[Text, Field(max_length=254)] = ""
    same_as: Annotated[Text, Field(max_length=80)] = ""
    service: Flag = Field(False, description="A program acts as it; nobody logs in with it.")


class Closing(Schema):
    """`problem`: why it cannot be closed, empty if it can. `left_stuck`: what nobody could meet then."""

    problem: str
    left_stuck: list[str]


class Why(Asked):
    reason: Annotated[Text, Field(max_length=2000)]


@router.get("/accounts", response=Accounts, url_name="api-accounts")
@requires(Action.MANAGE_ACCOUNTS)
def accounts(request: HttpRequest, wanted: Query[Listed]) -> Accounts:
    """Every account, also closed ones."""
    found = User.objects.order_by("pk")
    if wanted.cursor:
        found = found.filter(pk__gt=number(wanted.cursor))
    page, following = first(found)
    return Accounts(items=[Account.of(one) for one in page], next_cursor=following)


@router.post("/accounts", response={201: Opened}, url_name="api-accounts")
@requires(Action.MANAGE_ACCOUNTS, "POST")
@sharp
def open_account(request: HttpRequest, new: New) -> Status[Opened]:
    """Open an account. Its roles are given by `POST people/USERNAME/roles`."""
    user, password = verbs.open_account(person(request), **new.dict())
    return Status(201, _opened(user, password))


@router.get("/accounts/{username}", response=Account, url_name="api-person")
@requires(Action.MANAGE_ACCOUNTS)
def one(request: HttpRequest, username: str) -> Account:
    """One of them."""
    return Account.of(verbs.named(person(request), username))


@router.get("/accounts/{username}/close", response=Closing, url_name="api-account-close")
@requires(Action.MANAGE_ACCOUNTS)
def closing(request: HttpRequest, username: str) -> Closing:
    """What closing it would mean for those who stay. Changes nothing."""
    by = person(request)
    user = verbs.named(by, username)
    left = verbs.left_stuck(user) if user.is_active else []
    return Closing(problem=verbs.why_not_closed(by, user), left_stuck=left)


@router.post("/accounts/{username}/close", response=Account, url_name="api-account-close")
@requires(Action.MANAGE_ACCOUNTS, "POST")
@sharp
def close(request: HttpRequest, username: str, why: Why) -> Account:
    """Nobody logs in with it any more; its sessions and tokens end."""
    user = verbs.close(person(request), username, why.reason)
    user.refresh_from_db()
    return Account.of(user)


@router.post("/accounts/{username}/reopen", response=Opened, url_name="api-account-reopen")
@requires(Action.MANAGE_ACCOUNTS, "POST")
@sharp
def reopen(request: HttpRequest, username: str, why: Why) -> Opened:
    """Let somebody in again, with a new password."""
    by = person(request)
    password = verbs.reopen(by, username, why.reason)
    return _opened(verbs.named(by, username), password)


@router.post("/accounts/{username}/password", response=Opened, url_name="api-account-password")
@requires(Action.MANAGE_ACCOUNTS, "POST")
@sharp
def new_password(request: HttpRequest, username: str) -> Opened:
    """A new password for somebody who has forgotten theirs."""
    by = person(request)
    password = verbs.new_password(by, username)
    return _opened(verbs.named(by, username), password)


@router.post("/accounts/{username}/log-out", response=Account, url_name="api-account-log-out")
@requires(Action.MANAGE_ACCOUNTS, "POST")
def log_out(request: HttpRequest, username: str) -> Account:
    """End all sessions of somebody."""
    by = person(request)
    verbs.log_out(by, username)
    return Account.of(verbs.named(by, username))


def _opened(user: User, password: str) -> Opened:
    return Opened(**Account.of(user).model_dump(), password=password)
