"""The rule about the seven standard sections."""

from collections.abc import Iterator

from cvdops.spec.codes import diagnostic
from cvdops.spec.document import Diagnostic
from cvdops.spec.rules.subject import Subject
from cvdops.spec.sections import STANDARD


def missing_section(subject: Subject) -> Iterator[Diagnostic]:
    present = {section.kind for section in subject.runbook.sections}
    for kind in STANDARD:
        if kind not in present:
            name = kind.capitalize()
            yield diagnostic("RB301", 1, f"The section {name} is missing.", f"Add “## {name}”.")
