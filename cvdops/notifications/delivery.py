"""Sending what lies in the outbox. Any worker does, one message at a time, and none waits for it."""

import logging
import threading
from datetime import timedelta

from django.conf import settings
from django.db import Error, connection, transaction
from django.db.models.functions import Now

from cvdops.notifications.channels import address
from cvdops.notifications.models import Message

log = logging.getLogger(__name__)

TRIES = 8  # the last about four hours after the first
_TAKEN = timedelta(minutes=2)  # who sends has so long, then another worker may
_FIRST_PAUSE = timedelta(minutes=1)  # doubled by each try that fails


class Courier:
    """Sends in a thread of its own, at most one in a process: a mail server may take its time."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None

    def go(self) -> None:
        """Send what is due, unless it is on its way already."""
        if self._thread is not None and self._thread.is_alive():
            return
        if not Message.objects.filter(due_at__lte=Now()).exists():
            return
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while (message := take()) is not None:
                send(message)
        except Error as error:
            log.warning("A message was not sent: the database is away: %s", error)
        except Exception:
            log.exception("A message was not sent.")
        finally:
            connection.close()


def take() -> Message | None:
    """The next message that is due, taken for a time by the one who asks."""
    with transaction.atomic():
        found = Message.objects.filter(due_at__lte=Now()).order_by("due_at")
        message = found.select_for_update(skip_locked=True).first()
        if message is not None:
            message.tries += 1
            Message.objects.filter(pk=message.pk).update(tries=message.tries, due_at=Now() + _TAKEN)
    return message


def send(message: Message) -> bool:
    """Send one message and write down what came of it. It is tried again after a pause that grows."""
    error = _sent(message)
    mine = Message.objects.filter(pk=message.pk, tries=message.tries)
    if not error:
        return bool(mine.update(due_at=None, sent_at=Now(), error=""))
    last = message.tries >= TRIES
    pause = _FIRST_PAUSE * 2 ** (message.tries - 1)
    mine.update(due_at=None if last else Now() + pause, error=error[:300])
    log.warning("The message “%s” was not sent to %s: %s", message.title, message.channel, error)
    return False


def _sent(message: Message) -> str:
    """Why it could not be sent; empty if it was. No error text of Apprise: it may quote the address."""
    # It costs 20 MB, and most processes never send.
    from apprise import Apprise  # noqa: PLC0415

    try:
        url = address(settings.NOTIFY, message.channel, message.recipient)
    except KeyError:
        return f"CVDOPS_NOTIFY names no channel {message.channel} any more."
    courier = Apprise()
    if not courier.add(url):
        return f"The address of {message.channel} is none that Apprise knows."
    if not courier.notify(title=message.title, body=message.body):
        return f"{message.channel} did not take it."
    return ""
