"""Fixtures of the tests of the API."""

from tests.live.conftest import execution, impatient, port, scene, server
from tests.web.conftest import rows, world

__all__ = ["execution", "impatient", "port", "rows", "scene", "server", "world"]
