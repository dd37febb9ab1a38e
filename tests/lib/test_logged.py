"""What strangers send, in the log."""

import logging

import pytest
from django.conf import settings
from django.core.exceptions import DisallowedHost

from cvdops.lib.logged import Strangers, Tokens


def record(name: str) -> logging.LogRecord:
    error = DisallowedHost("Invalid HTTP_HOST header")
    trace = (DisallowedHost, error, None)
    return logging.LogRecord(name, logging.ERROR, __file__, 1, str(error), None, trace)


@pytest.mark.parametrize("kind", ["DisallowedHost", "RequestDataTooBig"])
def test_what_anybody_can_send_is_one_line(kind: str) -> None:
    told = record(f"django.security.{kind}")
    assert Strangers().filter(told)
    assert logging.Formatter("{levelname} {message}", style="{").format(told) == (
        "WARNING Invalid HTTP_HOST header"
    )


def test_a_fault_of_the_program_keeps_its_trace() -> None:
    told = record("django.request")
    assert Strangers().filter(told)
    assert (told.levelname, told.exc_info is None) == ("ERROR", False)


def test_the_log_is_written_so() -> None:
    assert settings.LOGGING["handlers"]["stderr"]["filters"] == ["strangers", "tokens"]


def test_no_token_is_written_down() -> None:
    told = logging.LogRecord(
        "django.request", logging.WARNING, __file__, 1, "%s: %s",
        ("Not Found", f"/api/v1/runbooks/cvdops_{'x' * 43}/"), None,
    )  # fmt: skip
    assert Tokens().filter(told)
    assert told.getMessage() == "Not Found: /api/v1/runbooks/cvdops_…/"
