"""The rules about commands: complete, given by their path or declared, and never waiting for a keyboard."""

import re
from collections.abc import Iterator

from cvdops.spec.codes import diagnostic
from cvdops.spec.document import Diagnostic
from cvdops.spec.rules.subject import Subject
from cvdops.spec.shell import Command
from cvdops.spec.slugs import quote

_ANGLE = re.compile(r"<([A-Za-z][\w-]*(?: [\w-]+){0,5})>")
_HTML = frozenset(
    {
        "a",
        "b",
        "body",
        "br",
        "code",
        "div",
        "em",
        "h1",
        "h2",
        "head",
        "html",
        "i",
        "li",
        "meta",
        "p",
    }
    | {"pre", "script", "span", "strong", "style", "table", "td", "title", "tr", "ul"}
)
_UNFILLED = re.compile(
    r"\byour[-_](?!self)[a-z][\w-]*(?:\.\w+)*|\bYOUR_[A-Z_]+|\bupdate this\b|\bchange[-_]?me\b"
    r"|\breplace[-_ ](?:me|this|with)\b",
    re.IGNORECASE,
)
_BUILTINS = frozenset(
    {
        ".",
        ":",
        "alias",
        "bg",
        "break",
        "builtin",
        "cd",
        "command",
        "continue",
        "declare",
        "dirs",
        "echo",
    }
    | {
        "eval",
        "exec",
        "exit",
        "export",
        "false",
        "fg",
        "getopts",
        "hash",
        "jobs",
        "kill",
        "let",
        "local",
    }
    | {
        "mapfile",
        "popd",
        "printf",
        "pushd",
        "pwd",
        "read",
        "readarray",
        "readonly",
        "return",
        "set",
    }
    | {
        "shift",
        "shopt",
        "source",
        "test",
        "times",
        "trap",
        "true",
        "type",
        "typeset",
        "ulimit",
        "umask",
    }
    | {"unalias", "unset", "wait"}
)
_POSIX = frozenset(
    {
        "awk",
        "basename",
        "cat",
        "chgrp",
        "chmod",
        "chown",
        "cksum",
        "cmp",
        "comm",
        "cp",
        "cut",
        "date",
        "dd",
    }
    | {
        "df",
        "diff",
        "dirname",
        "du",
        "env",
        "expr",
        "find",
        "fold",
        "getconf",
        "grep",
        "head",
        "id",
        "ln",
    }
    | {
        "join",
        "logger",
        "logname",
        "ls",
        "mkdir",
        "mkfifo",
        "mktemp",
        "mv",
        "nice",
        "nl",
        "nohup",
        "od",
    }
    | {
        "paste",
        "ps",
        "rm",
        "rmdir",
        "sed",
        "sh",
        "sleep",
        "sort",
        "split",
        "stat",
        "stty",
        "sync",
        "tail",
    }
    | {
        "tee",
        "timeout",
        "touch",
        "tr",
        "tty",
        "uname",
        "uniq",
        "wc",
        "who",
        "whoami",
        "xargs",
        "bash",
    }
    | {"sudo", "hostname", "seq", "sha256sum", "tar", "gzip", "gunzip", "egrep", "fgrep", "pgrep"}
)
_NAME = re.compile(r"[A-Za-z][\w.+-]*")
_INTERACTIVE = frozenset(
    {"vim", "vi", "nvim", "nano", "emacs", "less", "more", "htop", "watch", "visudo", "man"}
)
_FOLLOWERS = frozenset({"tail", "journalctl", "docker", "kubectl"})
_FOLLOW = re.compile(r"-[a-zA-Z]*[fF][a-zA-Z]*|--follow(?:=\w+)?")
_SSH_VALUES = frozenset("BbcDEeFIiJLlmOopQRSWw")


def angle_placeholder(subject: Subject) -> Iterator[Diagnostic]:
    for step in subject.shell_steps:
        for number, line in enumerate(subject.script(step).code):
            match = _ANGLE.search(line) if "<" in line else None
            if match and match[1].lower() not in _HTML:
                yield diagnostic(
                    "RB403",
                    subject.line(step, number),
                    f"{quote(match[0])} is a placeholder that the shell would not understand.",
                    "Use a variable such as ${NAME} and declare it.",
                )


def unfilled_placeholder(subject: Subject) -> Iterator[Diagnostic]:
    for step in subject.shell_steps:
        for number, line in enumerate(step.body.split("\n")):
            if match := _UNFILLED.search(line):
                yield diagnostic(
                    "RB404",
                    subject.line(step, number),
                    f"{quote(match[0])} was never filled in.",
                    "Put the real value there, or a variable.",
                )


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
    """Each command once, where it is first used."""
    declared = subject.runbook.metadata.get("tools")
    tools = (
        {str(t).split()[0] for t in declared if str(t).strip()}
        if isinstance(declared, list)
        else set()
    )
    known = tools | _BUILTINS | _POSIX
    for step, command in subject.commands:
        if command.name not in known and _NAME.fullmatch(command.name):
            known.add(command.name)
            yield diagnostic(
                "RB501",
                subject.line(step, command.line),
                f"{command.name} is neither given by its full path nor declared.",
                f"Add {command.name} to tools: in the front matter, or write its full path.",
            )
