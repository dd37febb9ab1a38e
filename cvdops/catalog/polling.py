"""When it is time to look at the source without being asked."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from cvdops.catalog.models import CatalogSource


def claim_look() -> bool:
    """Whether a look is due. Only one of those who ask at the same time is told so, and has it done."""
    if not settings.RUNBOOKS_POLL:
        return False
    long_ago = Now() - timedelta(seconds=settings.RUNBOOKS_POLL)
    looked = Q(looked_at__isnull=True) | Q(looked_at__lt=long_ago)
    asked = Q(asked_at__isnull=True) | Q(asked_at__lt=long_ago)
    origin = settings.RUNBOOKS
    about = {"location": origin.location, "branch": origin.branch, "folder": origin.folder}
    CatalogSource.objects.get_or_create(pk=1, defaults=about)
    return CatalogSource.objects.filter(looked, asked, pk=1).update(asked_at=Now()) == 1
