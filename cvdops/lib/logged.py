"""What becomes of a record before it is written to the log."""

import logging
import re

_TOKEN = re.compile(r"(cvdops_)[A-Za-z0-9_-]{43}")  # see access.tokens
_STRANGERS = "django.security."  # what is wrong with a request: its host, its size, its cookies


class Strangers(logging.Filter):
    """What anybody can send is no fault of the program: one line of warning, without its trace."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith(_STRANGERS):
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


class Tokens(logging.Filter):
    """A token that somebody has put into an address is not written down."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if _TOKEN.search(text):
            record.msg, record.args = _TOKEN.sub(r"\1…", text), None
        return True
