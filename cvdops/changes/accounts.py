"""Who has an account: opened and closed by administrators, never removed, so that history keeps its names."""

import secrets

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models.functions import Now

from cvdops.access.models import ApproverGroup, RoleGrant
from cvdops.access.policy import Action, can
from cvdops.accounts.models import Session, Token, User
from cvdops.approvals import gates
from cvdops.approvals.quorum import Leaving
from cvdops.audit.log import record
from cvdops.changes import holders
from cvdops.changes.services import one_at_a_time
from cvdops.lib.errors import Conflict, Invalid, NotFound, Problem

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another when read aloud


def named(by: User, username: str) -> User:
    """An account, for those who manage them. Raises Refused, NotFound."""
    can(by, Action.MANAGE_ACCOUNTS).enforce()
    found = User.objects.filter(username=username).first()
    if found is None:
        raise NotFound("account")
    return found


def open_account(
    by: User | None,
    username: str,
    name: str,
    email: str = "",
    *,
    same_as: str = "",
    service: bool = False,
) -> tuple[User, str]:
    """A new account and its first password, which has to be changed at the first login.

    `service`: a program acts as it; it has no password, nobody logs in with it.

    `by` is None for the one who runs a command on the machine. `same_as` is another account of the same
    human. Raises Refused, Invalid.
    """
    if by:
        can(by, Action.MANAGE_ACCOUNTS).enforce()
    text, stored = ("", make_password(None)) if service else _new_password()
    with transaction.atomic():
        one_at_a_time()
        other = User.objects.filter(username=same_as).first() if same_as else None
        user = User(
            username=username.strip(),
            name=name.strip(),
            email=email.strip(),
            password=stored,
            password_given=not service,
            service=service,
        )
        if same_as and other is None:
            raise Invalid([Problem("same_as", f"There is no account {same_as}.")])
        if other:
            user.person = other.person
        if problems := _problems(user):
            raise Invalid(problems)
        user.save()
        data = {"name": user.name, "email": user.email, "same_as": same_as, "service": service}
        record(by, "account.open", "account", user.username, data=data)
    return user, text


def close(by: User, username: str, reason: str) -> User:
    """Nobody logs in with it any more; its sessions and tokens end. Raises Refused, Invalid, Conflict."""
    with transaction.atomic():
        one_at_a_time()
        user = named(by, username)
        if not reason.strip():
            raise Invalid([Problem("reason", "Say why it is closed.")])
        if why := why_not_closed(by, user):
            raise Conflict(why)
        User.objects.filter(pk=user.pk).update(is_active=False)
        _end_everything(user)
        record(by, "account.close", "account", username, data={"reason": reason.strip()})
    return user


def why_not_closed(by: User, user: User) -> str:
    """Why an administrator cannot close it as things stand; empty if they can."""
    if user.person == by.person:
        return "This is you: another administrator has to close it."
    if not user.is_active:
        return f"The account {user.username} is closed already."
    theirs = RoleGrant.objects.filter(user=user).values_list("pk", flat=True)
    return holders.locked_out(theirs)


def left_stuck(user: User) -> list[str]:
    """Which policies and gates nobody could meet any more without this account; a sentence for each."""
    roles = RoleGrant.objects.in_force().filter(user=user).values_list("role", "environment")
    groups = ApproverGroup.objects.filter(members=user).values_list("pk", flat=True)
    return gates.left_stuck(Leaving(user.person, tuple(roles), tuple(groups)))


def reopen(by: User, username: str, reason: str) -> str:
    """Let somebody in again, with a new password; the roles are those that they still hold."""
    text, stored = _new_password()
    with transaction.atomic():
        one_at_a_time()
        user = named(by, username)
        if not reason.strip():
            raise Invalid([Problem("reason", "Say why it is opened again.")])
        if user.is_active:
            raise Conflict(f"The account {username} is open.")
        if user.service:
            text = ""
            User.objects.filter(pk=user.pk).update(is_active=True)
        else:
            _set(user, stored, is_active=True)
        record(by, "account.reopen", "account", username, data={"reason": reason.strip()})
    return text


def new_password(by: User | None, username: str) -> str:
    """For somebody who has forgotten theirs. Their sessions end."""
    text, stored = _new_password()
    with transaction.atomic():
        user = named(by, username) if by else _by_name(username)
        if user.service:
            raise Conflict("This is a service account: nobody logs in with it.")
        if by and user.person == by.person:
            raise Conflict("This is you: change your password on the page of your account.")
        _set(user, stored)
        Session.objects.filter(user=user).delete()
        record(by, "account.new_password", "account", username)
    return text


def choose_password(user: User, password: str) -> None:
    """One's own. Sessions that do not take it over are worth nothing then. Raises Invalid."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid([Problem("password", text) for text in error.messages]) from None
    user.set_password(password)
    user.password_given = False
    with transaction.atomic():
        user.save(update_fields=["password", "password_given"])
        record(user, "account.password", "account", user.username)


def log_out(by: User, username: str) -> int:
    """End all sessions of somebody. How many there were."""
    with transaction.atomic():
        user = named(by, username)
        count = Session.objects.filter(user=user).delete()[0]
        record(by, "account.log_out", "account", username, data={"sessions": count})
    return count


def _by_name(username: str) -> User:
    found = User.objects.filter(username=username).first()
    if found is None:
        raise NotFound("account")
    return found


def _problems(user: User) -> list[Problem]:
    problems = []
    try:
        user.full_clean(exclude=["password", "email"])
    except ValidationError as error:
        texts = {
            "username": f"The user name {user.username} is taken, or is not made of a-z, 0-9, . _ -"
        }
        problems = [
            Problem(field, texts.get(field, "Give a name of up to 120 characters."))
            for field in error.message_dict
        ]
    if user.email:
        try:
            validate_email(user.email)
        except ValidationError:
            problems.append(Problem("email", "This is no e-mail address."))
    return problems


def _new_password() -> tuple[str, str]:
    """The text, and what is stored of it; made before a transaction, because it takes its time."""
    text = "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))
    return text, make_password(text)


def _set(user: User, stored: str, **also: bool) -> None:
    User.objects.filter(pk=user.pk).update(password=stored, password_given=True, **also)


def _end_everything(user: User) -> None:
    Session.objects.filter(user=user).delete()
    Token.objects.filter(user=user, revoked_at=None).update(revoked_at=Now())
