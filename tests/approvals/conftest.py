"""The scene of the engine's tests, with production and its policies beside development."""

from pathlib import Path

import pytest

from cvdops.approvals.seed import seed_policies
from cvdops.environments.models import Environment
from tests.executions import scene as scenes


@pytest.fixture
def scene(transactional_db: None, tmp_path: Path) -> scenes.Scene:
    made = scenes.make(tmp_path)
    production = Environment.objects.create(slug="production", name="Production", protected=True)
    production.hosts.create(name="here", transport="local", default=True)
    seed_policies()
    return made
