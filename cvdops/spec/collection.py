"""What several documents say about each other, before any of them is in a catalog."""

from collections import defaultdict
from collections.abc import Hashable, Mapping
from typing import TypeVar

from cvdops.spec.children import cycles, missing
from cvdops.spec.codes import diagnostic
from cvdops.spec.document import Diagnostic, Runbook
from cvdops.spec.slugs import quote

Place = TypeVar("Place", bound=Hashable)


def among(
    documents: Mapping[Place, Runbook], *, complete: bool
) -> dict[Place, tuple[Diagnostic, ...]]:
    """What is found in each, by its place: ids that are taken, circles, and children that are missing.

    `complete`: there are no other runbooks than these.
    """
    holders: dict[str, Place] = {}
    found: dict[Place, list[Diagnostic]] = defaultdict(list)
    for place, runbook in documents.items():
        holder = holders.setdefault(runbook.id, place)
        if holder != place:
            message = f"{holder} has the id {quote(runbook.id)} already."
            hint = "Give one of them another id: of two with the same only the first is a runbook."
            found[place].append(diagnostic("RB220", 1, message, hint))
    by_id = {runbook_id: documents[place] for runbook_id, place in holders.items()}
    checks = (cycles(by_id), missing(by_id, complete=complete))
    for runbook_id, place in holders.items():
        found[place] += (d for check in checks for d in check.get(runbook_id, ()))
    return {place: tuple(found[place]) for place in documents}
