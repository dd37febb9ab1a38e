"""Telling people. Whatever is told has a key, and is told once under it, however often it is asked for."""

from collections.abc import Collection, Iterable

from django.conf import settings
from django.db.models.functions import Now

from cvdops.accounts.models import User
from cvdops.notifications.channels import MAIL
from cvdops.notifications.models import Message, Notice

MAX_TEXT = 400


def note(users: Iterable[User], *, subject: str, key: str, text: str, path: str) -> None:
    """A notice in the portal for each of these people. `path` leads to where it is dealt with.

    Call it inside the transaction of what it tells of.
    """
    Notice.objects.bulk_create(
        [
            Notice(user=user, subject=subject, key=key, text=text[:MAX_TEXT], path=path)
            for user in users
        ],
        ignore_conflicts=True,
    )


def tell(users: Collection[User], *, subject: str, key: str, text: str, path: str) -> None:
    """A notice, and a mail to those who have an address; it never carries more than the way there."""
    note(users, subject=subject, key=key, text=text, path=path)
    write([user.email for user in users if user.email], key=key, text=text, path=path)


def write(addresses: Collection[str], *, key: str, text: str, path: str) -> None:
    """A mail to each of these addresses, if the portal can send any."""
    if MAIL in settings.NOTIFY:
        _post([(MAIL, address) for address in addresses], key, text, path)


def announce(*, key: str, text: str, path: str) -> bool:
    """A message to every channel: what all should know. False if there is no channel."""
    channels = [name for name in settings.NOTIFY if name != MAIL]
    _post([(name, "") for name in channels], key, text, path)
    return bool(channels)


def settle(subjects: Collection[str]) -> None:
    """What these were about is over: nobody has to read of it any more."""
    Notice.objects.filter(subject__in=subjects, read_at__isnull=True).update(read_at=Now())


def read(user: User, notice: int | None = None) -> None:
    """This person has read this notice, or all of theirs."""
    found = Notice.objects.filter(user=user, read_at__isnull=True)
    if notice is not None:
        found = found.filter(pk=notice)
    found.update(read_at=Now())


def _post(places: Collection[tuple[str, str]], key: str, text: str, path: str) -> None:
    link = f"{settings.PORTAL_URL}{path}" if settings.PORTAL_URL else ""
    body = f"{text}\n\n{link}".strip()
    Message.objects.bulk_create(
        [
            Message(key=key, channel=channel, recipient=recipient, title=_title(text), body=body)
            for channel, recipient in places
        ],
        ignore_conflicts=True,
    )


def _title(text: str) -> str:
    line = text.partition("\n")[0]
    return f"CVD Ops: {line}"[:200]
