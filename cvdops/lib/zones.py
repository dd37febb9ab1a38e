"""The reader's time zone, by its name in the IANA database."""

import re
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

_NAME = re.compile(r"[A-Za-z]{2,20}(?:[/_+-][A-Za-z0-9]{1,20}){0,5}")


@lru_cache(maxsize=128)
def zone(name: str) -> tzinfo:
    """The zone of this name; UTC for what is none."""
    if not _NAME.fullmatch(name):
        return UTC
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # of any file of the database that is not a zone, too
        return UTC


def beside(moment: datetime, there: tzinfo) -> str:
    """The same moment by the clocks there, for brackets; with the day only if it is another one."""
    local, utc = moment.astimezone(there), moment.astimezone(UTC)
    if local.utcoffset() == utc.utcoffset():
        return ""
    day = "" if local.date() == utc.date() else f"{local:%a} "
    return f"{day}{local:%H:%M %Z}"
