"""What can be asked of the policy, in words, and what it says to one person, said to another."""

import re
from collections.abc import Mapping
from dataclasses import replace

from cvdops.access.policy import Action, Decision

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
    Action.DECIDE: "decide on the request",
    Action.SYNC_CATALOG: "have the runbooks read anew",
    Action.TEST_HOST: "test connections",
    Action.CONFIRM_KEY: "confirm host keys",
    Action.EDIT_ENVIRONMENTS: "change environments",
    Action.EDIT_SECRETS: "set secrets",
    Action.EDIT_WINDOWS: "change windows and freezes",
    Action.HOLD: "set and lift holds",
    Action.EDIT_PERMISSIONS: "change permissions",
    Action.EDIT_CONTACTS: "change contacts and the escalation chain",
    Action.CONFIRM_ROUTINE: "confirm what is due regularly",
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

# What a refusal says to a person, as it is said of them; the order counts.
_OF_THEM: Mapping[str, str] = {
    r"\bYou have\b": "{name} has",
    r"\bYou would\b": "{name} would",
    r"\bYou (?=asked|had|wrote|set)": "{name} ",
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
