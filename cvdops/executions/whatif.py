"""What another person, environment or time would make of the policy's answer."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from django.utils.dateparse import parse_datetime

from cvdops.access import catalog
from cvdops.access.catalog import get_runbook, visible_runbooks
from cvdops.access.policy import NEEDED, Action, Decision, Matter, can
from cvdops.access.words import WAYS, WORDS, of
from cvdops.accounts.models import User
from cvdops.approvals.models import ApprovalRequest, RequestState
from cvdops.approvals.queries import get_request, visible
from cvdops.catalog.models import Runbook
from cvdops.environments.models import Environment
from cvdops.executions import deciders
from cvdops.lib.errors import Invalid, NotFound, Problem

SHOWN = 50  # requests to choose from


@dataclass(frozen=True, slots=True)
class Answer:
    """May they do this? With every reason if not."""

    action: Action
    words: str
    decision: Decision  # of somebody else, its reasons speak by name

    @property
    def supervised(self) -> bool:
        """They start it, and it waits until somebody certified has joined."""
        reasons = self.decision.reasons
        return self.action is Action.START and {r.code for r in reasons} == {"supervision"}


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked: who, on which runbook or request, where, what, and when."""

    user: User
    runbook: Runbook | None
    environment: str
    action: Action | None  # None: all of them
    at: datetime | None  # None: now
    way: str = ""  # of a start
    own: bool = False  # who asks asks about themselves
    request: ApprovalRequest | None = None  # of deciding; its environment is its own

    @property
    def answers(self) -> list[Answer]:
        wanted = WORDS if self.action is None else {self.action: WORDS[self.action]}
        return [
            Answer(action, words, decision if self.own else of(self.user.name, decision))
            for action, words in wanted.items()
            if (decision := self._asked(action)) is not None
        ]

    def _asked(self, action: Action) -> Decision | None:
        if action is Action.DECIDE:
            return (
                deciders.may_decide_on(self.user, self.request, self.at) if self.request else None
            )
        if action not in NEEDED:
            return can(self.user, action, at=self.at)
        if self.runbook is None:
            return None
        return can(self.user, action, self._matter(self.runbook), at=self.at)

    def _matter(self, runbook: Runbook) -> Matter:
        """An execution there, with somebody who may execute it taking part."""
        place = Environment.objects.filter(pk=self.environment).first()
        if place is None or runbook.current is None:
            return Matter(runbook.category, self.environment, present=True)
        matter = catalog.matter(runbook, runbook.current, place)
        return replace(
            matter,
            runbook=runbook.pk,
            present=True,
            read_only=self.way == "read-only",
            emergency=self.way == "emergency",
        )


def question(reader: User, data: Mapping[str, str]) -> Question | None:
    """What was asked; None before a person is chosen. Only what exists for the reader can be asked for.

    Raises Invalid, NotFound.
    """
    username = data.get("person", "")
    if not username:
        return None
    user = User.objects.filter(username=username).first()
    if user is None:
        raise NotFound("person")
    environment, action = data.get("environment", ""), data.get("action", "")
    if environment and not Environment.objects.filter(pk=environment).exists():
        raise NotFound("environment")
    if action and action not in set(WORDS):
        raise NotFound("action")
    runbook, way, request = (data.get(name, "") for name in ("runbook", "way", "approval"))
    if way not in WAYS:
        raise NotFound("way to start something")
    return Question(
        user,
        get_runbook(reader, runbook) if runbook else None,
        environment,
        Action(action) if action else None,
        _moment(data.get("at", "")),
        way,
        own=user == reader,
        request=get_request(reader, request) if request else None,
    )


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen: (value, word)."""

    people: list[tuple[str, str]]
    runbooks: list[tuple[str, str]]
    environments: list[str]
    actions: list[tuple[str, str]]
    ways: list[tuple[str, str]]
    requests: list[tuple[str, str]]


def choices(reader: User, asked: Question | None) -> Choices:
    """With the request that was asked about, which may be open no more."""
    open_ones = visible(reader).filter(state=RequestState.OPEN).prefetch_related(None)[:SHOWN]
    about = [asked.request] if asked and asked.request else []
    requests = {str(r.pk): _called(r) for r in (*about, *open_ones)}
    people = User.objects.filter(is_active=True).order_by("name")
    return Choices(
        people=list(people.values_list("username", "name")),
        runbooks=[(runbook.pk, runbook.title) for runbook in visible_runbooks(reader)],
        environments=list(Environment.objects.values_list("slug", flat=True)),
        actions=[(action.value, words) for action, words in WORDS.items()],
        ways=list(WAYS.items()),
        requests=list(requests.items()),
    )


def _called(request: ApprovalRequest) -> str:
    return f"{request.title}, in {request.environment}, asked for by {request.requested_by.name}"


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise Invalid([Problem("at", "Give a time such as 2026-11-29T02:00, in UTC.")])
    return found if found.tzinfo else found.replace(tzinfo=UTC)
