"""Where a person can go by a few words: runbooks and their procedures, executions, pages, words."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from urllib.parse import urlencode

from django.urls import reverse

from cvdops.access.levels import Level
from cvdops.accounts.models import User
from cvdops.catalog.models import Runbook
from cvdops.catalog.queries import document
from cvdops.environments.models import Environment
from cvdops.executions.models import Execution
from cvdops.executions.queries import Control, controls, visible_to
from cvdops.executions.states import ACTIVE, Look
from cvdops.lib.visible import visible
from cvdops.web.glossary import words as glossary
from cvdops.web.places import places
from cvdops.web.summaries import CatalogRow, catalog_rows

SHOWN = 6  # of a kind
_VERBS = {
    "resume": ("resume", "play"),
    "pause": ("pause", "pause"),
    "cancel": ("cancel", "square"),
    "roll back": ("roll_back", "undo-2"),
}
READ = 40  # runbooks whose procedures are looked through
LARGEST = 2**31  # no execution has a higher number


@dataclass(frozen=True, slots=True)
class Hit:
    """One place to go to, or the form of the page that it sends. `look` is the state of an execution."""

    title: str
    address: str
    icon: str
    detail: str = ""
    look: Look | None = None
    form: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """The hits of one kind, under their heading."""

    title: str
    hits: tuple[Hit, ...]


def find(user: User, text: str) -> list[Kind]:
    """What fits all the words, as far as it exists for this person; without words what is near at hand."""
    words = text.casefold().replace("#", " ").split()
    rows = catalog_rows(user)
    fitting = [row for row in rows if _fits(words, _described(row.runbook))]
    found = (
        ("Executions", _numbered(user, words)),
        ("Do", chain(_verbs(user, words), _everywhere(words))),
        ("Runbooks", (_runbook(row) for row in fitting)),
        ("Run", _procedures(rows, words)),
        ("Executions", _executions(user, [row.runbook.pk for row in fitting])),
        ("Pages", _pages(user, words)),
        ("Words", _words(words)),
    )
    kinds = [Kind(title, tuple(_first(hits))) for title, hits in found]
    return [kind for kind in kinds if kind.hits]


def _first(hits: Iterable[Hit]) -> Iterator[Hit]:
    for _, hit in zip(range(SHOWN), hits, strict=False):
        yield hit


def _fits(words: list[str], text: str) -> bool:
    folded = text.casefold()
    return all(word in folded for word in words)


def _described(runbook: Runbook) -> str:
    purpose = runbook.newest.metadata.get("purpose", "") if runbook.newest else ""
    return f"{runbook.title} {runbook.pk} {purpose}"


def _runbook(row: CatalogRow) -> Hit:
    address = reverse("runbook", args=[row.runbook.pk])
    return Hit(visible(row.runbook.title), address, "book-open", row.level.label)


def _procedures(rows: list[CatalogRow], words: list[str]) -> Iterator[Hit]:
    """What this person may start, once something is looked for."""
    if not words:
        return
    for row in rows[:READ]:
        if row.level < Level.EXECUTE or row.runbook.current is None:
            continue
        for procedure in document(row.runbook.current).procedures:
            if _fits(words, f"run start {row.runbook.title} {row.runbook.pk} {procedure.title}"):
                query = urlencode({"procedure": procedure.key})
                address = f"{reverse('run', args=[row.runbook.pk])}?{query}"
                yield Hit(visible(procedure.title), address, "play", visible(row.runbook.title))


def _numbered(user: User, words: list[str]) -> Iterator[Hit]:
    """The one with this number."""
    numbers = [int(word) for word in words if word.isascii() and word.isdigit()]
    if numbers and len(words) == 1:
        for execution in visible_to(user).filter(number=min(numbers[0], LARGEST - 1)):
            yield _execution(execution)


def _executions(user: User, runbooks: list[str]) -> Iterator[Hit]:
    """The newest of these runbooks."""
    for execution in visible_to(user).filter(runbook__in=runbooks).order_by("-id")[:SHOWN]:
        yield _execution(execution)


def _verbs(user: User, words: list[str]) -> Iterator[Hit]:
    """What this person may do with an execution that goes on: on its page, where it asks first.

    It is asked at each key, and what may be done takes several queries: only where the words fit.
    """
    if not any(len(word) > 1 and verb.startswith(word) for verb in _VERBS for word in words):
        return
    going = visible_to(user).filter(state__in=ACTIVE).order_by("-id")
    for execution in going[:SHOWN]:
        titles = {name: f"{name.capitalize()} #{execution.number}" for name in _VERBS}
        about = f"{execution.number} {execution.runbook.title}"
        fitting = [name for name, title in titles.items() if _fits(words, f"{title} {about}")]
        if not fitting:
            continue
        offered = controls(user, execution, None if "roll back" in fitting else ())
        for name in fitting:
            field, icon = _VERBS[name]
            control: Control = getattr(offered, field)
            if control.shown and control.decision.allowed:
                address = f"{reverse('execution', args=[execution.pk])}#actions"
                yield Hit(titles[name], address, icon, visible(execution.runbook.title))


def _everywhere(words: list[str]) -> Iterator[Hit]:
    if words and _fits(words, "log out sign out logout leave end session quit exit"):
        yield Hit("Log out", reverse("logout"), "log-out", "on this browser", form="log-out")


def _execution(execution: Execution) -> Hit:
    return Hit(
        f"#{execution.number} {visible(execution.runbook.title)}",
        reverse("execution", args=[execution.pk]),
        execution.look.icon,
        f"{execution.environment_id} · {execution.look.label}",
        execution.look,
    )


def _pages(user: User, words: list[str]) -> Iterator[Hit]:
    for place in places(user):
        if _fits(words, f"{place.title} {place.words}"):
            yield Hit(place.title, place.address, place.icon, place.keys)
    if words:
        for slug, name in Environment.objects.values_list("slug", "name"):
            if _fits(words, f"environment hosts windows {slug} {name}"):
                yield Hit(f"Environment {slug}", reverse("environment", args=[slug]), "server")


def _words(words: list[str]) -> Iterator[Hit]:
    if not words:
        return
    for word in glossary():
        if _fits(words, word.name):
            address = f"{reverse('glossary')}#{word.anchor}"
            yield Hit(word.name, address, "book-a", word.short)
