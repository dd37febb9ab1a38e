"""Fixtures of the engine's tests."""

from pathlib import Path

import pytest

from tests.executions import scene as scenes


@pytest.fixture
def scene(transactional_db: None, tmp_path: Path) -> scenes.Scene:
    return scenes.make(tmp_path)
