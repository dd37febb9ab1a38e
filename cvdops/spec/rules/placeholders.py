"""The rules about placeholders that somebody forgot to fill in."""

import re
from collections.abc import Iterator

from cvdops.spec.codes import diagnostic
from cvdops.spec.document import Diagnostic
from cvdops.spec.rules.subject import Subject
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
        if not _UNFILLED.search(step.body):
            continue
        for number, line in enumerate(step.body.split("\n")):
            if match := _UNFILLED.search(line):
                yield diagnostic(
                    "RB404",
                    subject.line(step, number),
                    f"{quote(match[0])} was never filled in.",
                    "Put the real value there, or a variable.",
                )
