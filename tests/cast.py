"""The standing cast: one person per role, and an outsider who holds none."""

from cvdops.access.models import Role, RoleGrant
from cvdops.access.seed import ROLES
from cvdops.accounts.models import User

EVERYBODY = tuple(role[0] for role in ROLES)
OUTSIDER = "outsider"


def person(role: str, username: str = "", *, environment: str | None = None) -> User:
    """Somebody with this role, who logs in by `force_login`: hashing a password takes its time."""
    name = username or role
    user, made = User.objects.get_or_create(username=name, defaults={"name": name.title()})
    if made and role != OUTSIDER:
        RoleGrant.objects.create(
            user=user, role=Role.objects.get(pk=role), environment_id=environment
        )
    return user
