"""Fixtures of the tests of the API."""

from tests.live.conftest import execution, impatient, scene, server
from tests.web.conftest import rows, world

__all__ = ["execution", "impatient", "rows", "scene", "server", "world"]
