"""The first content of an installation: what the mission document says of roles, environments and approvals."""

from collections.abc import Mapping

from cvdops.access.seed import seed_roles
from cvdops.approvals.seed import seed_policies
from cvdops.environments.seed import seed_environments, seed_windows
from cvdops.executions.routines import seed_routines


def prepare(practice: Mapping[str, str] | None) -> None:
    """Create what is missing; what people have changed since stays as it is.

    `practice`: the variables of the practice CVD, if this installation has one.
    """
    seed_roles()
    seed_windows(seed_environments(practice))
    seed_policies()
    seed_routines()
