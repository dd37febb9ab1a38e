"""Fixtures of the tests of the API."""

from tests.live.conftest import execution, scene, server
from tests.web.conftest import world

__all__ = ["execution", "scene", "server", "world"]
