"""Everything that the portal needs to know of a document, in one value; pure."""

from dataclasses import dataclass, replace
from datetime import date

from cvdops.spec.annotate import annotate
from cvdops.spec.codes import diagnostic
from cvdops.spec.document import Diagnostic, Runbook
from cvdops.spec.lint import lint
from cvdops.spec.parser import parse
from cvdops.spec.render import render

UNREAD = "RB006"
_UNREAD_HTML = "<p>This document could not be read, so it is not shown.</p>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A document as it was understood."""

    runbook: Runbook
    diagnostics: tuple[Diagnostic, ...]  # of the parser and of the rules, by line
    html: str
    annotated: str = ""  # the document in the annotated form, where it was asked for


def study(source: bytes, name: str, today: date, *, annotated: bool = False) -> Study:
    """The document in this file. It may take long and use much memory: see `cvdops.catalog.confined`."""
    runbook = parse(source, name)
    text = source.decode("utf-8", "replace")
    return Study(
        runbook=runbook,
        diagnostics=lint(runbook, text, today),
        html=render(text, runbook.steps),
        annotated=annotate(runbook, text) if annotated else "",
    )


def unread(name: str, why: str) -> Study:
    """What there is to be said of a document whose reading had to be ended: only why."""
    hint = "Make it shorter, and look for lists, tables or brackets that repeat many times."
    found = (diagnostic(UNREAD, 1, why, hint),)
    runbook = replace(parse(b"", name), diagnostics=found)
    return Study(runbook=runbook, diagnostics=found, html=_UNREAD_HTML)
