"""What another person, environment or time would make of the policy's answer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from django.utils.dateparse import parse_datetime

from cvdops.access import catalog
from cvdops.access.catalog import get_runbook, visible_runbooks
from cvdops.access.policy import NEEDED, Action, Decision, Matter, can
from cvdops.accounts.models import User
from cvdops.catalog.models import Runbook
from cvdops.environments.models import Environment
from cvdops.lib.errors import Invalid, NotFound, Problem

# What can be asked, in words that follow "may".
WORDS: Mapping[Action, str] = {
    Action.READ_RUNBOOK: "read the runbook",
    Action.REVIEW_RUNBOOK: "review a version",
    Action.READ_EXECUTION: "read executions and their output",
    Action.READ_ANSWERS: "read what came back to requests",
    Action.NOTE: "write notes",
    Action.JOIN: "take part as an assistant",
    Action.SUPERVISE: "supervise somebody who is not certified yet",
    Action.ASSIST: "confirm manual steps and checklist items",
    Action.CLOSE: "confirm items of the list after the end",
    Action.START: "start it",
    Action.CONTROL: "pause, resume, cancel, retry, roll back",
    Action.OVERRIDE: "skip a step or mark it as done",
    Action.HAND_OVER: "hand an execution over",
    Action.SYNC_CATALOG: "have the runbooks read anew",
    Action.TEST_HOST: "test connections",
    Action.CONFIRM_KEY: "confirm host keys",
    Action.EDIT_ENVIRONMENTS: "change environments",
    Action.EDIT_SECRETS: "set secrets",
    Action.EDIT_WINDOWS: "change windows and freezes",
    Action.HOLD: "set and lift holds",
    Action.EDIT_PERMISSIONS: "change permissions",
    Action.EDIT_TRIGGERS: "set up triggers",
    Action.CERTIFY: "grant certifications",
    Action.MANAGE_ACCOUNTS: "open and close accounts",
    Action.EXAMINE: "see what is wrong with the installation",
    Action.RESET_PRACTICE: "reset the practice CVD",
    Action.READ_AUDIT: "read the audit log",
}


# How something is started: windows and freezes ask for it.
WAYS: Mapping[str, str] = {
    "": "as it is, changing something",
    "read-only": "changing nothing",
    "emergency": "as an emergency",
}


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
    """What was asked: who, on which runbook, where, what, and when."""

    user: User
    runbook: Runbook | None
    environment: str
    action: Action | None  # None: all of them
    at: datetime | None  # None: now
    way: str = ""  # of a start
    own: bool = False  # who asks asks about themselves

    @property
    def answers(self) -> list[Answer]:
        wanted = WORDS if self.action is None else {self.action: WORDS[self.action]}
        return [
            Answer(action, words, decision if self.own else of(self.user.name, decision))
            for action, words in wanted.items()
            if (decision := self._asked(action)) is not None
        ]

    def _asked(self, action: Action) -> Decision | None:
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


# What a refusal says to a person, as it is said of them; the order counts.
_OF_THEM: Mapping[str, str] = {
    r"\bYou are\b": "{name} is",
    r"\byou have\b": "{name} has",
    r"\bYou assist: you confirm\b": "{name} assists: they confirm",
    r"\byou execute\b": "they execute",
    r"\byou need\b": "they need",
    r"\bYour certification\b": "The certification of {name}",
    r"\bYour page\b": "Their page",
}


def of(name: str, decision: Decision) -> Decision:
    """The decision in words about this person, for somebody else to read."""

    def said(text: str) -> str:
        for words, others in _OF_THEM.items():
            text = re.sub(words, others.format(name=name).replace("\\", r"\\"), text)
        return text

    return Decision(
        tuple(replace(r, text=said(r.text), remedy=said(r.remedy)) for r in decision.reasons)
    )


def question(reader: User, data: Mapping[str, str]) -> Question | None:
    """What was asked; None before a person is chosen. Only runbooks that exist for the reader can be asked for.

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
    runbook, way = data.get("runbook", ""), data.get("way", "")
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
    )


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen: (value, word)."""

    people: list[tuple[str, str]]
    runbooks: list[tuple[str, str]]
    environments: list[str]
    actions: list[tuple[str, str]]
    ways: list[tuple[str, str]]


def choices(reader: User) -> Choices:
    people = User.objects.filter(is_active=True).order_by("name")
    return Choices(
        people=list(people.values_list("username", "name")),
        runbooks=[(runbook.pk, runbook.title) for runbook in visible_runbooks(reader)],
        environments=list(Environment.objects.values_list("slug", flat=True)),
        actions=[(action.value, words) for action, words in WORDS.items()],
        ways=list(WAYS.items()),
    )


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
