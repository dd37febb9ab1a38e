"""Holds a runbook to the rules. Pure: the text, what was parsed from it, and today's date."""

from datetime import date

from cvdops.spec.codes import Notes
from cvdops.spec.document import Diagnostic, Runbook
from cvdops.spec.parser import read_lines
from cvdops.spec.rules import RULES
from cvdops.spec.rules.subject import Subject


def lint(runbook: Runbook, source: str, today: date) -> tuple[Diagnostic, ...]:
    """Everything to be said of the runbook, by line: what the parser noticed, then what the rules find.

    Rules that need the history (executed in staging, reviewed by somebody else) are not among them.
    """
    lines = read_lines(source, Notes())
    if lines is None:
        return runbook.diagnostics
    subject = Subject(runbook, lines, today)
    found = [d for rule in RULES for d in rule(subject)]
    return tuple(sorted((*runbook.diagnostics, *found), key=lambda d: (d.line, d.code)))
