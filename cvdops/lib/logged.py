"""What becomes of a record before it is written to the log."""

import logging

_STRANGERS = "django.security."  # what is wrong with a request: its host, its size, its cookies


class Strangers(logging.Filter):
    """What anybody can send is no fault of the program: one line of warning, without its trace."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith(_STRANGERS):
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True
