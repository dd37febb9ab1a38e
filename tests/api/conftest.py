"""Fixtures of the tests of the API."""

from tests.web.conftest import world

__all__ = ["world"]
