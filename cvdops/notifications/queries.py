"""Reading what somebody was told."""

from datetime import timedelta

from django.db.models import QuerySet
from django.db.models.functions import Now

from cvdops.accounts.models import User
from cvdops.notifications.models import Message, Notice

_MANY = 100


def notices(user: User) -> QuerySet[Notice]:
    """All of this person's, newest first."""
    return Notice.objects.filter(user=user)


def undelivered() -> list[Message]:
    """The messages of the last day that were tried in vain, newest first."""
    lately = Message.objects.filter(at__gt=Now() - timedelta(days=1), sent_at__isnull=True)
    return list(lately.exclude(error="")[:_MANY])
