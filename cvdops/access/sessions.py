"""One's own sessions, and logging out of them."""

from django.db import transaction

from cvdops.accounts.models import User
from cvdops.accounts.sessions import alive
from cvdops.audit.log import record
from cvdops.lib.errors import NotFound


def end(user: User, public_id: str) -> None:
    """Log one of one's browsers out. Raises NotFound."""
    with transaction.atomic():
        found = [one for one in alive(user).select_for_update() if one.public_id == public_id]
        if not found:
            raise NotFound("session")
        found[0].delete()
        record(user, "session.end", "session", user.username, data={"session": public_id})


def end_others(user: User, here: str | None) -> int:
    """Log all browsers out but the one with this key. How many there were."""
    with transaction.atomic():
        count = alive(user).exclude(pk=here or "").delete()[0]
        record(user, "session.end", "session", user.username, data={"others": count})
    return count
