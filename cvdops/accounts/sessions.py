"""Sessions in PostgreSQL, each known to belong to somebody, and ended by the database's clock.

Django's session engine (`SESSION_ENGINE`). Opening a page or sending a form makes a session last longer; what a
page asks for by itself, a stream above all, does not.
"""

from datetime import timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Least, Now

from cvdops.accounts.models import Session, User

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)  # one long shift, however busy
FRESH = timedelta(minutes=10)  # after the password was entered, for what is sharp
TOUCH = timedelta(minutes=1)  # a session is prolonged at most this often
KEPT = timedelta(days=1)  # an ended session is forgotten at some later login


def alive(user: User) -> QuerySet[Session]:
    """The sessions of this person that have not ended, the last used first."""
    return Session.objects.filter(user=user, expire_date__gt=Now())


def renew(user: User) -> None:
    """This person's rights have changed: a cookie that was taken before is of no use for the new ones."""
    Session.objects.filter(user=user).update(renew=True)


class SessionStore(db.SessionStore):
    """`fresh` and `due` say how it stood when it was loaded."""

    fresh = False  # its person entered the password a short time ago
    due = False  # it has not been prolonged for a while
    renew = False  # its key is that of before its person's rights changed

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def load(self) -> dict[str, Any]:
        rows = Session.objects.filter(pk=self.session_key, expire_date__gt=Now())
        row = rows.values_list("session_data", "seen_at", "proved_at", "renew", Now()).first()
        if row is None:
            self._session_key = None
            return {}
        data, seen, proved, self.renew, now = row
        self.due = now - seen >= TOUCH
        self.fresh = proved is not None and now - proved < FRESH
        return self.decode(data)

    async def aload(self) -> dict[str, Any]:
        return await sync_to_async(self.load)()

    def save(self, must_create: bool = False) -> None:
        """Raises UpdateError for a session that was ended meanwhile: it does not come back."""
        if self.session_key is None:
            self.create()
            return
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        values: dict[str, Any] = {
            "session_data": self.encode(data),
            "user_id": data.get(SESSION_KEY),
        }
        if must_create:
            try:
                with transaction.atomic():
                    Session.objects.create(pk=self.session_key, expire_date=Now() + IDLE, **values)
            except IntegrityError:
                raise CreateError from None
            return
        found = Session.objects.filter(pk=self.session_key, expire_date__gt=Now())
        end = Least(Now() + IDLE, F("began_at") + LONGEST)
        if not found.update(seen_at=Now(), expire_date=end, **values):
            raise UpdateError

    async def asave(self, must_create: bool = False) -> None:
        await sync_to_async(self.save)(must_create)

    @classmethod
    def clear_expired(cls) -> None:
        Session.objects.filter(expire_date__lt=Now() - KEPT).delete()

    def cycle_key(self) -> None:
        """The same session under another key: a cookie of before is worth nothing.

        Raises SessionInterrupted for a session that was ended meanwhile: it does not come back.
        """
        _ = self._session  # type: ignore[attr-defined] # its data, under the key of before
        if self.session_key is None:
            super().cycle_key()
            return
        new = self._get_new_session_key()  # type: ignore[attr-defined]
        found = Session.objects.filter(pk=self.session_key, expire_date__gt=Now())
        if not found.update(session_key=new, renew=False):
            raise SessionInterrupted("The session was ended before it got its new key.")
        self._session_key = new
        self.modified = True
        self.renew = False

    def prove(self) -> None:
        """Note that the password was entered in it just now."""
        Session.objects.filter(pk=self.session_key).update(proved_at=Now())
        self.fresh = True
