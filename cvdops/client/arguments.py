"""The flags that `manage.py run` and `cvdops run` share, and how what stands after them is read."""

import os
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence

EXITS = (
    (0, "it succeeded; with --dry-run: it could run now"),
    (
        1,
        "it failed or was rejected, cancelled or rolled back; --dry-run: its hosts lack something, or not now",
    ),
    (2, "nothing was started: bad input, or not allowed"),
    (3, "it waits for somebody: an approval, a step for a person, a worker"),
    (74, "what it prints can be written nowhere (a full disk); what was started goes on"),
    (130, "it was stopped with Ctrl-C; an execution that was started goes on"),
)
FLAGS = {  # field of a start → the flag that gives it
    "reason": "--reason",
    "confirm_environment": "--confirm-environment",
    "procedure": "--procedure",
    "environment": "--env",
    "checklist": "--confirm-checklist",
}
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def add_start(parser: ArgumentParser) -> None:
    """What is started, and how."""
    parser.add_argument("runbook", metavar="RUNBOOK", help="its id, such as deployment")
    parser.add_argument("--procedure", help="needed if the runbook has several")
    parser.add_argument("--env", required=True, metavar="E", help="the environment")
    parser.add_argument(
        "--var",
        action="append",
        default=[],
        type=variable,
        metavar="K=V",
        help="a variable; may be repeated. K alone takes the value from your environment, where "
        "nobody else sees a secret",
    )
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; others will read it")
    parser.add_argument(
        "--confirm-checklist",
        action="store_true",
        help="you have looked after every item of the list before the start (with manage.py only a "
        "protected environment asks for it: elsewhere you say so by starting it)",
    )
    parser.add_argument(
        "--confirm-environment",
        default="",
        metavar="NAME",
        help="the name of a protected environment once more",
    )
    parser.add_argument("--follow", action="store_true", help="print the output as it comes")
    add_wait(parser, "not at all; with --follow 30s, and on a terminal until Ctrl-C")
    parser.add_argument(
        "--dry-run", action="store_true", help="show the plan, ask the hosts, start nothing"
    )


def add_wait(parser: ArgumentParser, default: str) -> None:
    """For how long somebody is waited for."""
    parser.add_argument(
        "--wait",
        type=duration,
        metavar="TIME",
        help=f"how long to wait for somebody, such as 90s or 2h (default: {default})",
    )


def variable(text: str) -> tuple[str, str]:
    """K=V, or K for the value that it has in the environment of the command."""
    name, given, value = text.partition("=")
    if given:
        return name, value
    if name not in os.environ:
        raise ArgumentTypeError(f"say {name}=VALUE, or set {name} in your environment")
    return name, os.environ[name]


def duration(text: str) -> float:
    """Seconds, from a time such as 90s, 30m or 2h."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS else (text, "s")
    if not (number.isascii() and number.isdecimal()):
        raise ArgumentTypeError("a time such as 90s, 30m or 2h")
    return float(number) * _UNITS[unit]


def count(text: str) -> int:
    """A number that is not below zero."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise ArgumentTypeError("a number, not below 0")
    return int(text)


def with_flags(problems: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Problems of a start (field, message), each with the flag that mends it: once for all of a field."""
    flags = [_flag(field) for field, _ in problems]
    return [
        (field, f"{message} Say it with {flag}." if flag and flag not in rest else message)
        for n, ((field, message), flag) in enumerate(zip(problems, flags, strict=True))
        for rest in [flags[n + 1 :]]
    ]


def _flag(field: str) -> str:
    """The flag that gives a field; empty if none does. A variable is named in capitals, and nothing else is."""
    name = field.removeprefix("variables.").partition(".")[0]
    return f"--var {name}=VALUE" if name.isupper() else FLAGS.get(name, "")
