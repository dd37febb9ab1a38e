"""Fixtures of the tests of changes: the seeded roles, and who may change them."""

import pytest

from cvdops.access.seed import seed_roles
from cvdops.accounts.models import User
from cvdops.environments.seed import seed_environments
from tests.cast import person


@pytest.fixture
def cast(db: None) -> None:
    """An administrator and a lead, without whom nothing is confirmed, and somebody whom it is about."""
    seed_roles()
    seed_environments({})
    for role in ("admin", "operations-lead", "developer"):
        person(role)


@pytest.fixture
def admin(cast: None) -> User:
    return person("admin")


@pytest.fixture
def lead(cast: None) -> User:
    return person("operations-lead")
