"""Where messages go to: the channels that the settings name, by Apprise."""

import re
from collections.abc import Mapping
from urllib.parse import quote

MAIL = "mail"  # the channel whose messages go to the address of a person
_LINE = re.compile(r"([a-z0-9][a-z0-9-]{0,39})\s*=\s*(\S+)")


class WrongChannel(ValueError):
    """A line that names no channel. It may hold a password, so nothing of it is quoted."""


def parse(text: str) -> dict[str, str]:
    """Name → address of each channel, one `name=address` a line. Raises WrongChannel."""
    channels: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None or "://" not in found[2]:
            raise WrongChannel(f"line {number} is not of the form name=scheme://address")
        if found[1] in channels:
            raise WrongChannel(f"line {number} names {found[1]} a second time")
        channels[found[1]] = found[2]
    return channels


def address(channels: Mapping[str, str], channel: str, recipient: str) -> str:
    """The address by which Apprise reaches this recipient. Raises KeyError if the channel is gone."""
    url = channels[channel]
    if not recipient:
        return url
    return f"{url}{'&' if '?' in url else '?'}to={quote(recipient, safe='@')}"
