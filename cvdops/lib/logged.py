"""What becomes of a record before it is written to the log."""

import logging
import re

import redis

from cvdops.lib.outage import REDIS

_TOKEN = re.compile(r"(cvdops_)[A-Za-z0-9_-]{43}")  # see access.tokens
_CELERY = ("celery.", "kombu.")
_TASKS = "celery.app.trace"
_AWAY = (redis.ConnectionError, redis.TimeoutError)
_STRANGERS = "django.security."  # what is wrong with a request: its host, its size, its cookies


class Strangers(logging.Filter):
    """What anybody can send is no fault of the program: one line of warning, without its trace."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith(_STRANGERS):
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


class Broker(logging.Filter):
    """Celery tells at every try, with traces, that Redis is away: it is said once, and when it is back.

    What is wrong with a task, or has another cause, stays as it is.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(_CELERY) or record.name.startswith(_TASKS):
            return True
        said = record.args if isinstance(record.args, tuple) else ()
        trace = record.exc_info[1] if record.exc_info else None
        cause = next((one for one in (trace, *said) if _of_redis(one)), None)
        if cause is None:
            return True
        REDIS.began(_of_redis(cause))
        return False


def _of_redis(error: object) -> BaseException | None:
    """The error of Redis from which this one came, or which it is."""
    found = error if isinstance(error, BaseException) else None
    while found is not None and not isinstance(found, _AWAY):
        found = found.__cause__ or found.__context__
    return found


class Tokens(logging.Filter):
    """A token that somebody has put into an address is not written down."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if _TOKEN.search(text):
            record.msg, record.args = _TOKEN.sub(r"\1…", text), None
        return True
