"""The roles that the format knows are those of the portal."""

from cvdops.access.seed import ROLES as SEEDED
from cvdops.spec.document import ROLES


def test_a_gate_can_name_exactly_the_roles_of_a_new_portal() -> None:
    assert tuple(slug for slug, *_ in SEEDED) == ROLES
