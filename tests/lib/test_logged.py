"""What strangers send, in the log."""

import logging

import pytest
import redis
from django.conf import settings
from django.core.exceptions import DisallowedHost

from cvdops.lib import logged, outage
from cvdops.lib.logged import Broker, Strangers, Tokens
from cvdops.lib.outage import Outage


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
    assert settings.LOGGING["handlers"]["stderr"]["filters"] == ["broker", "strangers", "tokens"]


def test_no_token_is_written_down() -> None:
    told = logging.LogRecord(
        "django.request", logging.WARNING, __file__, 1, "%s: %s",
        ("Not Found", f"/api/v1/runbooks/cvdops_{'x' * 43}/"), None,
    )  # fmt: skip
    assert Tokens().filter(told)
    assert told.getMessage() == "Not Found: /api/v1/runbooks/cvdops_…/"


GONE = redis.ConnectionError("Error 111 connecting to redis:6379. Connection refused.")
CONSUMER = "celery.worker.consumer.consumer"


def of_celery(name: str, *said: object, trace: Exception | None = None) -> logging.LogRecord:
    text = "%s" * len(said) or "It broke."
    info = (type(trace), trace, None) if trace else None
    return logging.LogRecord(name, logging.ERROR, __file__, 1, text, said, info)


def after(first: Exception) -> Exception:
    """An error that came up while this one was handled."""
    found = AttributeError("'NoneType' object has no attribute 'connection_errors'")
    found.__context__ = first
    return found


def test_a_redis_that_is_away_is_said_once_and_that_it_is_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(logged, "REDIS", lasting := Outage())
    noise = [
        of_celery(CONSUMER, "Connection to broker lost.", GONE),
        of_celery("celery.bootsteps", "Error on restarting", trace=after(GONE)),
        of_celery(CONSUMER, "Cannot connect to", GONE, "Trying again"),
    ]
    with caplog.at_level("WARNING", outage.__name__):
        assert not any(map(Broker().filter, noise))
        lasting.ended()
        lasting.ended()
    gone, back = caplog.messages
    assert gone.startswith(f"Redis is away: {str(GONE)[:-1]}. Executions go on")
    assert back == "Redis answers again."


@pytest.mark.parametrize(
    "real",
    [
        of_celery("celery.app.trace", "Task raised", trace=GONE),
        of_celery("celery.bootsteps", "Error on restarting", trace=after(ValueError("else"))),
        of_celery(CONSUMER, "Received unregistered task"),
        of_celery("cvdops.executions.pulse", "It failed", trace=GONE),
    ],
)
def test_what_else_is_wrong_stays_in_the_log(real: logging.LogRecord) -> None:
    assert Broker().filter(real)
