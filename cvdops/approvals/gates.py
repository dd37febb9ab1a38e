"""The gates that documents have: which of them nobody could meet, because somebody left or lost a role.

A gate that names nobody asks whom the policies name: those are looked at by themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from cvdops.access.policy import environments
from cvdops.approvals import quorum
from cvdops.approvals.groups import Group
from cvdops.approvals.models import Condition
from cvdops.approvals.quorum import Leaving, People
from cvdops.catalog.models import Runbook, RunbookVersion
from cvdops.catalog.queries import document
from cvdops.lib.together import ahead

_GATE = r"[`~]{3,}\s*\{?\s*\.?approval\y"  # a cheap look: has a document any?


@dataclass(frozen=True, slots=True)
class _Gate:
    """One of a runbook, by the titles of both."""

    runbook: str
    title: str
    category: str
    groups: tuple[Group, ...]


_Stuck = Mapping[_Gate, Mapping[str, str]]  # of a gate by environment: why nobody could meet it


def stuck() -> list[str]:
    """The gates of the catalog that nobody could meet as things stand; a sentence for each."""
    return _told(_stuck(_of_catalog()))


def stuck_in(runbook: Runbook, version: RunbookVersion) -> list[str]:
    """The same of one version."""
    return _told(_stuck(_of_version(runbook, version)))


def left_stuck(leaving: Leaving) -> list[str]:
    """The policies and gates that nobody could meet any more after that; a sentence for each."""
    gates = _of_catalog()
    now, later = _stuck(gates), _stuck(gates, leaving)
    new = {
        gate: {place: why for place, why in found.items() if place not in now.get(gate, {})}
        for gate, found in later.items()
    }
    return [*quorum.left_stuck(leaving), *_told(new)]


def _of_catalog() -> list[_Gate]:
    """Of all runbooks as they would be executed."""
    found = Runbook.objects.filter(removed_at__isnull=True, current__source__iregex=_GATE)
    runbooks = found.select_related("current").defer("current__source")
    return [gate for r in runbooks if r.current for gate in _of_version(r, r.current)]


def _of_version(runbook: Runbook, version: RunbookVersion) -> list[_Gate]:
    """None where the document has no category: nobody starts that."""
    if not runbook.category:
        return []
    return [
        _Gate(
            runbook.title,
            step.title,
            runbook.category,
            (Group(step.gate.approvers, step.gate.required),),
        )
        for step in document(version).steps
        if step.gate and step.gate.approvers
    ]


def _stuck(gates: Sequence[_Gate], leaving: Leaving | None = None) -> _Stuck:
    @cache
    def there(environment: str, category: str) -> People:
        return quorum.people(environment, category, Condition.ALWAYS, leaving)

    found: dict[_Gate, dict[str, str]] = {}
    if gates:
        ahead(environments.of(), *quorum.of_people())
    for gate in gates:
        for environment, _ in environments():
            if why := quorum.unmet(gate.groups, there(environment, gate.category)):
                found.setdefault(gate, {})[environment] = why
    return found


def _told(found: _Stuck) -> list[str]:
    """A sentence for each gate and reason; where it holds everywhere, no environment is named."""
    everywhere = len(environments()) if found else 0
    said = []
    for gate, reasons in found.items():
        for why in dict.fromkeys(reasons.values()):
            places = [place for place, same in reasons.items() if same == why]
            where = "" if len(places) == everywhere else f" in {', '.join(places)}"
            said.append(f"{gate.runbook}, the gate “{gate.title}”{where}. {why}")
    return said
