"""The rules about commands: complete, given by their path or declared, never waiting for a keyboard."""

import re
from collections.abc import Iterator

from cvdops.lib.visible import symbol, unseen
from cvdops.spec.codes import diagnostic
from cvdops.spec.document import Diagnostic, Step
from cvdops.spec.kinds import COMMANDS
from cvdops.spec.rules.subject import Subject
from cvdops.spec.shell import Command
from cvdops.spec.tools import BUILTINS, POSIX, declared

_NAME = re.compile(r"[A-Za-z][\w.+-]*")
_INTERACTIVE = frozenset(
    {"vim", "vi", "nvim", "nano", "emacs", "less", "more", "htop", "watch", "visudo", "man"}
)
_FOLLOWERS = frozenset({"tail", "journalctl", "docker", "kubectl"})
_FOLLOW = re.compile(r"-[a-zA-Z]*[fF][a-zA-Z]*|--follow(?:=\w+)?")
_SSH_VALUES = frozenset("BbcDEeFIiJLlmOopQRSWw")


def unread(subject: Subject) -> Iterator[Diagnostic]:
    """Comes last: by then every script was asked for."""
    if step := subject.unread:
        yield diagnostic(
            "RB412",
            step.line,
            "The document holds more code than is checked: in this block no command was looked at.",
            "Split the document, or move long scripts into files that it calls.",
        )


def unseen_characters(subject: Subject) -> Iterator[Diagnostic]:
    """Once for a block: what a person reads is not what runs."""
    for step in subject.runbook.steps:
        if step.body.isascii() or step.kind not in COMMANDS:
            continue
        for number, line in enumerate(step.body.split("\n")):
            if character := unseen(line):
                yield diagnostic(
                    "RB413",
                    subject.line(step, number),
                    f"A command holds {symbol(character)}, which nobody sees.",
                    "Type the line anew: it may not do what it reads like.",
                )
                break


def bare_ssh(subject: Subject) -> Iterator[Diagnostic]:
    for step, command in subject.commands:
        if command.name.rsplit("/", 1)[-1] == "ssh" and len(_ssh_arguments(command.words)) == 1:
            yield diagnostic(
                "RB405",
                subject.line(step, command.line),
                "ssh without a command would hang, and what follows would run on the wrong machine.",
                "Say where the block runs with target=NAME, and leave ssh out.",
            )


def _ssh_arguments(words: tuple[str, ...]) -> list[str]:
    """The host and the command, without options."""
    arguments: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif not arguments and word.startswith("-"):
            skip = len(word) == 2 and word[1] in _SSH_VALUES
        else:
            arguments.append(word)
    return arguments


def waits_for_input(subject: Subject) -> Iterator[Diagnostic]:
    for step, command in subject.commands:
        if _waits(command):
            yield diagnostic(
                "RB406",
                subject.line(step, command.line),
                f"{command.name.rsplit('/', 1)[-1]} waits for somebody at a keyboard, or for ever.",
                "Use a command that ends by itself, or put timeout before it.",
            )


def _waits(command: Command) -> bool:
    name = command.name.rsplit("/", 1)[-1]
    if "timeout" in command.wrappers:
        return False
    if name == "top":
        return not any(w.startswith("-") and "b" in w for w in command.words)
    if name in _FOLLOWERS:
        logs = name in ("tail", "journalctl") or "logs" in command.words
        return logs and any(_FOLLOW.fullmatch(word) for word in command.words)
    return name in _INTERACTIVE or (name == "crontab" and "-e" in command.words)


def undeclared_tool(subject: Subject) -> Iterator[Diagnostic]:
    for step, command in undeclared(subject):
        yield diagnostic(
            "RB501",
            subject.line(step, command.line),
            f"{command.name} is neither given by its full path nor declared.",
            f"Add {command.name} to tools: in the front matter, or write its full path.",
        )


def undeclared(subject: Subject) -> Iterator[tuple[Step, Command]]:
    """Each command once, where it is first used."""
    known = {*declared(subject.runbook.metadata), *BUILTINS, *POSIX}
    for step, command in subject.commands:
        if command.name not in known and _NAME.fullmatch(command.name):
            known.add(command.name)
            yield step, command
