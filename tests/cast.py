"""The standing cast: one person per role, all of them certified, and an outsider who holds no role."""

from datetime import UTC, datetime

from cvdops.access.certification import Stage
from cvdops.access.models import Certification, Role, RoleGrant
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
        certify(user)
    return user


def certify(
    user: User, stage: Stage = Stage.CERTIFIED, *, until: datetime | None = None
) -> Certification:
    """Put somebody on this rung of the ladder since long ago, for longer than any test thinks ahead."""
    return Certification.objects.create(
        user=user,
        stage=stage,
        granted_at=datetime(2000, 1, 1, tzinfo=UTC),
        expires_at=until or datetime(2100, 1, 1, tzinfo=UTC),
    )
