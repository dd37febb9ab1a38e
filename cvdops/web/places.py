"""The pages that one can go to by name: what the navigation, the palette and the shortcuts are made from."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import resolve, reverse

from cvdops.access.marks import access_of
from cvdops.access.policy import Action, each
from cvdops.access.subjects import LOGGED_IN
from cvdops.accounts.models import User


@dataclass(frozen=True, slots=True)
class Place:
    """A page that is always there. `keys` are pressed one after the other."""

    name: str  # of its URL
    title: str
    icon: str
    words: str = ""  # others by which people look for it
    keys: str = ""

    @property
    def address(self) -> str:
        return reverse(self.name)

    @property
    def action(self) -> Action:
        """What its view asks for."""
        access = access_of(resolve(self.address).func)
        return Action.USE_PORTAL if access is None else access.action


FIRST = (
    Place("home", "Home", "house", "start", "g h"),
    Place("runbooks", "Runbooks", "book-open", "catalog documents sync", "g r"),
    Place("executions", "Executions", "list-video", "history runs output", "g e"),
    Place("approvals", "Approvals", "stamp", "inbox decide requests", "g a"),
)
REST = (
    Place("notices", "Notices", "bell", "messages news mark read", "g n"),
    Place("permissions", "Permissions", "shield-check", "matrix roles rights levels", "g p"),
    Place("environments", "Environments", "server", "hosts windows secrets calendar", "g v"),
    Place("contacts", "Contacts", "phone", "escalation telephone", "g c"),
    Place(
        "routines",
        "Routines",
        "calendar-check",
        "reviews exercises tests training due schedule",
        "g t",
    ),
    Place("metrics", "Metrics", "chart-line", "success rate mttr recovery time freshness", "g m"),
    Place("audit", "Audit", "scroll-text", "log trail", "g u"),
    Place("people", "Accounts", "users", "people passwords", "g o"),
)
MORE = (
    Place("holds", "Holds", "circle-pause", "stop freeze starts"),
    Place(
        "executions-compare", "Compare two executions", "columns-2", "difference diff side by side"
    ),
    Place("triggers", "Triggers", "zap", "webhook start automatically alert monitoring"),
    Place("import", "Import a document", "file-up", "annotate markdown understand"),
    Place("delegations", "Delegations", "forward", "away holiday decide for me"),
    Place("holders", "Who holds which role", "user-check", "people roles grants"),
    Place("matrix", "Change the matrix", "table-2", "edit permissions levels"),
    Place("policies", "Approval policies", "gavel", "who approves groups"),
    Place("certification", "Certification", "graduation-cap", "training onboarding ladder"),
    Place("changes", "Changes of rights", "file-diff", "proposals confirm"),
    Place("what-if", "What if", "circle-question-mark", "may somebody check rights"),
    Place("doctor", "Doctor", "stethoscope", "installation checks health wrong mend"),
    Place("person-add", "Open an account", "user-plus", "new person"),
    Place(
        "account",
        "My account",
        "circle-user",
        "profile me settings sessions tokens browsers log out",
    ),
    Place("password", "Change my password", "key-round", "account"),
    Place("api-docs", "The API", "code", "documentation openapi calls programs"),
    Place("tour", "Tour of the portal", "map", "help introduction begin"),
    Place("glossary", "Glossary", "book-a", "words terms meaning help"),
    Place("shortcuts", "Keyboard shortcuts", "keyboard", "keys help", "?"),
)


def places(user: User) -> Iterator[Place]:
    """All that this person may open, in the order of the navigation. One query."""
    known = [(place, place.action) for place in (*FIRST, *REST, *MORE)]
    asked = {action for _, action in known} - LOGGED_IN
    decided = each(user, asked, None)
    for place, action in known:
        if action in LOGGED_IN or decided[action].allowed:
            yield place


_ELSEWHERE = {"": "home", "holds": "environments", "triggers": "runbooks", "doctor": "people"}


def section(path: str) -> str:
    """The name of the place of the navigation that a page belongs to; empty for none."""
    first = path.strip("/").partition("/")[0]
    name = _ELSEWHERE.get(first, first)
    return name if any(place.name == name for place in (*FIRST, *REST)) else ""
