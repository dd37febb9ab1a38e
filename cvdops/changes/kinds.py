"""The kinds of changes: name → module. Their names stand in the audit log and in addresses."""

from collections.abc import Mapping

from cvdops.changes import approver_groups, grants, matrix, policies, roles
from cvdops.changes.kind import Kind
from cvdops.changes.periods import Periods
from cvdops.environments.models import Period
from cvdops.lib.errors import NotFound

KINDS: Mapping[str, Kind] = {
    "approval-policy": policies,
    "approver-group": approver_groups,
    "grant": grants,
    "matrix": matrix,
    "role": roles,
    "window": Periods(Period.Kind.WINDOW, "maintenance window"),
    "freeze": Periods(Period.Kind.FREEZE, "freeze"),
}


def kind(name: str) -> Kind:
    """Raises NotFound."""
    if name not in KINDS:
        raise NotFound("kind of change")
    return KINDS[name]
