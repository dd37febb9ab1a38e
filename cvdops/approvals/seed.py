"""The approval policies of the design, as first content."""

from cvdops.approvals.groups import Group, to_json
from cvdops.approvals.models import ApprovalPolicy, Condition
from cvdops.environments.models import Environment

_MANAGER = Group(("operations-manager",))
_SECURITY = Group(("security-admin",))
_REACHABLE = Group(("operations-manager", "cto"))
_FOUR_HOURS = 4 * 3600  # also in emergencies: the chain of a P1 is told after 2, 3 and 4 hours

POLICIES = (
    # environment, category, condition, groups, seconds, reason required
    ("production", "deployment", Condition.ALWAYS, (_MANAGER,), _FOUR_HOURS, False),
    ("production", "performance", Condition.ALWAYS, (_MANAGER,), _FOUR_HOURS, False),
    ("production", "security", Condition.ALWAYS, (_MANAGER, _SECURITY), _FOUR_HOURS, False),
    ("production", "backup-restore", Condition.RESTORE, (_MANAGER,), _FOUR_HOURS, False),
    ("production", "", Condition.EMERGENCY, (_REACHABLE,), _FOUR_HOURS, True),
    ("staging", "", Condition.EMERGENCY, (_REACHABLE,), _FOUR_HOURS, True),
)


def seed_policies() -> None:
    """Create what is missing in the environments that exist. One that was edited since is left."""
    known = set(Environment.objects.values_list("slug", flat=True))
    ApprovalPolicy.objects.bulk_create(
        [
            ApprovalPolicy(
                environment_id=environment,
                category=category,
                condition=condition,
                groups=to_json(groups),
                expires=expires,
                reason_required=reason_required,
            )
            for environment, category, condition, groups, expires, reason_required in POLICIES
            if environment in known
        ],
        ignore_conflicts=True,
    )
