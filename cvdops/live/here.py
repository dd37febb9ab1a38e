"""Who looks at an execution now."""

from functools import cache
from uuid import UUID

from django.conf import settings

from cvdops.accounts.models import User
from cvdops.streams.presence import Presence


@cache
def _presence(url: str) -> Presence:
    return Presence(url)


def looks(user: User, execution: UUID) -> None:
    """This person looks at it. Said with every check of their open stream, with a page, with every poll."""
    _presence(settings.REDIS_URL).tell(str(execution), user.name)


def watching(execution: UUID) -> tuple[str, ...]:
    """The names of all who do."""
    return _presence(settings.REDIS_URL).who(str(execution))
