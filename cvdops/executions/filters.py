"""Filters of the history that people keep under a name. What one shows is asked of the policy each time."""

from django.db import transaction

from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.executions.models import SavedFilter
from cvdops.lib.errors import Conflict, Invalid, NotFound, Problem

MOST = 40  # of one person
LONGEST = 2000  # characters of the address


def save(user: User, name: str, query: str) -> SavedFilter:
    """Keep it, or put it in place of theirs with this name. Raises Invalid, Conflict."""
    name = " ".join(name.split())
    if problems := _problems(name, query):
        raise Invalid(problems)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # so that they are counted one at a time
        others = SavedFilter.objects.filter(user=user).exclude(name=name)
        if others.count() >= MOST:
            raise Conflict(f"You have kept {MOST} filters. Remove one first.")
        kept, _ = SavedFilter.objects.update_or_create(
            user=user, name=name, defaults={"query": query}
        )
        record(user, "filter.save", "filter", kept.pk, data={"name": name, "query": query})
    return kept


def remove(user: User, pk: int) -> None:
    """Forget one of theirs. Raises NotFound."""
    with transaction.atomic():
        if not SavedFilter.objects.filter(user=user, pk=pk).delete()[0]:
            raise NotFound("saved filter")
        record(user, "filter.remove", "filter", pk)


def _problems(name: str, query: str) -> list[Problem]:
    found = []
    if not name or len(name) > 60 or not name.isprintable():
        found.append(Problem("name", "Give the filter a name of at most 60 characters."))
    if not query:
        found.append(Problem("name", "Choose a filter first: this one shows everything."))
    if len(query) > LONGEST:
        found.append(Problem("name", "This filter is too long to be kept."))
    return found
