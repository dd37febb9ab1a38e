"""Fixtures of the catalog's tests."""

import pytest

from tests.ports import free_port


@pytest.fixture
def closed_port() -> int:
    """A port of this machine at which nobody listens."""
    return free_port()
