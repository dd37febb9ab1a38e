"""The history: executions by filter, newest first, a page at a time from a cursor on, never counted.

For each filter there is an index in which executions lie in the order of the list (see the models), so
that a page costs the same with a hundred executions and with a million. Ids sort by time: days are ranges
of ids.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.postgres.search import SearchQuery, SearchVector, SearchVectorExact
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from cvdops.access import policy
from cvdops.accounts.models import User
from cvdops.catalog.models import Runbook
from cvdops.executions import search
from cvdops.executions.models import Emergency, Execution, OutputWords, SavedFilter, StepRun
from cvdops.executions.queries import visible_to
from cvdops.lib.errors import NotFound
from cvdops.lib.ids import LAST, first_of, made_at
from cvdops.lib.together import Fixed, read
from cvdops.lib.together import Wanted as Asked

PAGE = 50
APART = 86_400.0  # seconds: more than the clocks that make ids and times are ever apart
REASON = SearchVector("reason", config="simple")  # as in the index
# What no list shows, and takes its time to be read.
_LONG = (
    *("plan", "session", "variables", "sealed"),
    *("version__source", "version__diagnostics", "version__metadata"),
)
_EXACT = ("runbook", "procedure", "environment", "state")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for; empty: anything. `output` are words that a step wrote."""

    q: str = ""
    output: str = ""
    runbook: str = ""
    environment: str = ""
    state: str = ""
    person: str = ""
    since: datetime | None = None
    until: datetime | None = None
    procedure: str = ""
    host: str = ""
    variable: str = ""
    value: str = ""
    emergency: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the list; `next_cursor` is empty on the last one.

    `looked_to`: output of executions asked for before then was not looked through for it.
    """

    items: Sequence[Execution]
    next_cursor: str
    looked_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A filter that a person has kept."""

    pk: int
    name: str
    query: str


@dataclass(frozen=True, slots=True)
class Places:
    """Where a person may see something: the runbooks, id → title, and environment → whether they do.

    And the filters that they have kept, and the account that was named: a frequent one is looked for in
    another way than a rare one, so the database has to be told which it is.
    """

    runbooks: Mapping[str, str]
    environments: Mapping[str, bool]
    kept: Sequence[Kept] = ()
    account: int | None = None


def asked(user: User, person: str = "") -> tuple[Asked, ...]:
    """What `places` reads, for a page that reads more together with it."""
    return (
        _runbooks.of(policy.readable_categories(user)),
        policy.environments.of(),
        _kept.of(user.pk),
        _named.of(person),
    )


def places(user: User, person: str = "") -> Places:
    """Also runbooks that are gone from the source: what was run of them is still there. One query.

    `person` is the user name of the account that is looked for.
    """
    runbooks, environments, kept, named = read(*asked(user, person))
    return Places(
        dict(sorted(runbooks, key=lambda row: row[1].lower())),
        {slug: policy.sees_something(user, slug) for slug, _ in environments},
        [Kept(*row) for row in sorted(kept, key=lambda row: row[1].lower())],
        next(iter(named), None),
    )


@Fixed
def _runbooks(categories: frozenset[str]) -> QuerySet[Runbook, tuple[str, str]]:
    """Those of these categories, with their titles."""
    return Runbook.objects.filter(category__in=categories).order_by().values_list("pk", "title")


@Fixed
def _kept(user: int) -> QuerySet[SavedFilter, tuple[int, str, str]]:
    """The filters that somebody has kept."""
    found = SavedFilter.objects.filter(user=user).order_by()
    return found.values_list("pk", "name", "query")


@Fixed
def _named(person: str) -> QuerySet[User, int]:
    """The account of this name."""
    return User.objects.filter(username=person).order_by().values_list("pk", flat=True)


def page(user: User, wanted: Wanted, before: str = "", known: Places | None = None) -> Page:
    """Those that fit, newest first. `known`: their places, where the caller has them.

    Raises NotFound for a cursor that is none.
    """
    begin = cursor(before)
    down_to = search.horizon(wanted.output, begin) if wanted.output else None
    found = matching(user, wanted, known or places(user, wanted.person), down_to).order_by("-id")
    if before:
        found = found.filter(pk__lt=begin)
    shown = found.annotate(now=Now()).defer(*_LONG)
    items = list(shown[: PAGE + 1])
    if len(items) > PAGE:
        return Page(items[:PAGE], str(items[PAGE - 1].pk))
    return Page(items, str(down_to), made_at(down_to)) if down_to else Page(items, "")


def matching(
    user: User, wanted: Wanted, known: Places, down_to: UUID | None = None
) -> QuerySet[Execution]:
    """All of those that fit and that this person may see. `known`: with the person who is looked for.

    `down_to` is the last one whose output is looked through; None: that of all of them.
    """
    found = visible_to(user).filter(_narrow(known))
    found = found.filter(**{name: value for name in _EXACT if (value := getattr(wanted, name))})
    if wanted.person:
        found = found.filter(requested_by__in=[known.account] if known.account else [])
    if wanted.host:
        there = StepRun.objects.filter(execution=OuterRef("pk"), host=wanted.host)
        found = found.filter(Exists(there))
    if wanted.variable and wanted.value:
        found = found.filter(variables__contains={wanted.variable: wanted.value})
    elif wanted.variable:
        found = found.filter(variables__has_key=wanted.variable)
    if wanted.emergency:
        found = found.filter(Exists(Emergency.objects.filter(execution=OuterRef("pk"))))
    if wanted.output:
        pieces: QuerySet[OutputWords] = search.found(user, wanted.output)
        if down_to:
            found, pieces = found.filter(pk__gte=down_to), pieces.filter(execution__gte=down_to)
        found = found.filter(Exists(pieces.filter(execution=OuterRef("pk"))))
    return found.filter(_days(wanted), _said(wanted.q, known))


def _narrow(known: Places) -> Q:
    """No more than what `visible_to` says, in values that the database knows the frequency of."""
    condition = Q(runbook__in=list(known.runbooks))
    if not all(known.environments.values()):
        condition &= Q(environment__in=[slug for slug, seen in known.environments.items() if seen])
    return condition


def _days(wanted: Wanted) -> Q:
    condition = Q()
    if wanted.since:
        ids = Q(pk__gte=first_of(wanted.since.timestamp() - APART))
        condition &= ids & Q(created_at__gte=wanted.since)
    if wanted.until:
        ids = Q(pk__lt=first_of(wanted.until.timestamp() + APART))
        condition &= ids & Q(created_at__lt=wanted.until)
    return condition


def _said(text: str, known: Places) -> Q:
    """By number, by words of the reason, by a part of the runbook's title."""
    if not text:
        return Q()
    named = [pk for pk, title in known.runbooks.items() if text.lower() in title.lower()]
    words = SearchQuery(text, config="simple")
    condition = Q(runbook__in=named) | Q(SearchVectorExact(REASON, words))
    if text.lstrip("#").isdecimal():
        condition |= Q(number=int(text.lstrip("#")[:18]))
    return condition


def cursor(before: str) -> UUID:
    """The execution that a page begins after, which is older than none at first. Raises NotFound."""
    try:
        return UUID(before) if before else LAST
    except ValueError:
        raise NotFound("page of this list") from None
