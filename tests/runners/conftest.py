"""Failures of the shared tests are explained like those of any other."""

import pytest

pytest.register_assert_rewrite("tests.runners.conformance", "tests.runners.bench")
