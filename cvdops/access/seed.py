"""The roles and the matrix of the mission document, as the first content of the database."""

from cvdops.access.levels import Level
from cvdops.access.models import MatrixCell, Role
from cvdops.spec.document import Category

# slug, name, reads audit, administers, levels in the order of Category
_N, _R, _A, _X = Level.NONE, Level.REVIEW, Level.ASSIST, Level.EXECUTE
_L, _S = Level.LEAD, Level.LEAD_SECURITY

ROLES: tuple[tuple[str, str, bool, bool, tuple[Level, ...]], ...] = (
    ("operations-lead", "Operations Lead", True, False, (_X, _X, _X, _X, _L)),
    ("devops-engineer", "DevOps Engineer", False, False, (_X, _X, _X, _R, _X)),
    ("system-admin", "System Admin", False, False, (_A, _X, _X, _X, _A)),
    ("security-admin", "Security Admin", False, False, (_R, _R, _R, _X, _S)),
    ("developer", "Developer", False, False, (_R, _R, _A, _R, _A)),
    ("operations-manager", "Operations Manager", True, False, (_R, _R, _R, _R, _R)),
    ("cto", "CTO", True, False, (_R, _R, _R, _R, _R)),
    ("auditor", "Auditor", True, False, (_R, _R, _R, _R, _R)),
    ("admin", "Administrator", True, True, (_R, _R, _R, _R, _R)),
)


def seed_roles() -> None:
    """Create what is missing. A role or cell that was edited since is left as it is."""
    roles = [
        Role(
            slug=slug,
            name=name,
            order=order,
            leads=slug == "operations-lead",
            reads_audit=reads_audit,
            administers=administers,
        )
        for order, (slug, name, reads_audit, administers, _) in enumerate(ROLES)
    ]
    cells = [
        MatrixCell(role_id=slug, category=category.value, level=level)
        for slug, _, _, _, levels in ROLES
        for category, level in zip(Category, levels, strict=True)
    ]
    Role.objects.bulk_create(roles, ignore_conflicts=True)
    MatrixCell.objects.bulk_create(cells, ignore_conflicts=True)
