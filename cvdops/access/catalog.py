"""The catalog as one person sees it."""

from django.db.models import QuerySet

from cvdops.access.policy import readable_categories
from cvdops.accounts.models import User
from cvdops.catalog import queries
from cvdops.catalog.models import Runbook


def visible_runbooks(user: User) -> QuerySet[Runbook]:
    """The runbooks that exist for this person."""
    return queries.runbooks(readable_categories(user))


def get_runbook(user: User, runbook_id: str) -> Runbook:
    """One of them. Raises NotFound: unknown and forbidden are the same."""
    return queries.runbook(runbook_id, readable_categories(user))
