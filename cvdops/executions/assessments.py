"""Whose certification ends soon or has ended: the annual assessment is due. Nobody finds out at 3 a.m."""

from datetime import timedelta

from django.db.models import QuerySet
from django.db.models.functions import Now

from cvdops.access.certification import Stage
from cvdops.access.models import Certification
from cvdops.lib.together import Fixed
from cvdops.notifications import addresses
from cvdops.notifications import services as notifications
from cvdops.notifications.models import Notice

AHEAD = timedelta(days=30)


@Fixed
def due() -> QuerySet[Certification]:
    """What ends within 30 days or has ended, of active people, the first first."""
    newest = Certification.objects.newest().values("pk")
    found = Certification.objects.filter(pk__in=newest, expires_at__lte=Now() + AHEAD)
    found = found.filter(user__is_active=True, user__service=False).select_related("user")
    return found.order_by("expires_at", "pk")


def remind() -> None:
    """Tell each of them once, in time. Idempotent, by any worker."""
    found = {f"certification:{one.pk}": one for one in due()}
    told = Notice.objects.filter(user__in=[one.user_id for one in found.values()], key__in=found)
    for key in set(found) - set(told.values_list("key", flat=True)):
        one = found[key]
        notifications.tell(
            [one.user],
            subject=key,
            key=key,
            text=f"Your certification “{Stage(one.stage).label}” ends on {one.expires_at:%Y-%m-%d}; after "
            "that you may watch alone. Ask an Operations Lead for the annual assessment.",
            path=addresses.certified(one.user.username),
        )
