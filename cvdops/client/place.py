"""Which portal is asked, and with which token: from the environment, or a file that only its owner reads."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_KNOWN = ("CVDOPS_URL", "CVDOPS_TOKEN")
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class Unset(Exception):
    """It is not said where the portal is, or with which token. The text says how to say it."""

    code = "unset"


@dataclass(frozen=True, slots=True)
class Place:
    """A portal, and the token to show it."""

    url: str
    token: str = field(repr=False)


def config_file(environ: Mapping[str, str]) -> Path:
    """Where the file lies, if there is one."""
    folder = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME", "~")) / ".config")
    return Path(folder) / "cvdops" / "config"


def place(environ: Mapping[str, str] = os.environ) -> Place:
    """Read it. The token of the file goes to the portal of the file alone. Raises Unset."""
    path = config_file(environ)
    kept = _read(path)
    url = (environ.get("CVDOPS_URL") or kept.get("CVDOPS_URL", "")).rstrip("/")
    same = "CVDOPS_URL" not in kept or kept["CVDOPS_URL"].rstrip("/") == url
    token = environ.get("CVDOPS_TOKEN") or (kept.get("CVDOPS_TOKEN", "") if same else "")
    if not url:
        raise Unset(
            f"Where is the portal? Set CVDOPS_URL, or write CVDOPS_URL=https://… into {path}."
        )
    _check(url)
    if not token:
        raise Unset(
            f"Set CVDOPS_TOKEN, or write CVDOPS_TOKEN=… into {path} (mode 600). You make a token "
            "under Account in the portal. It is never given as an argument, where others could read it."
        )
    if not token.isascii() or not token.isprintable():
        raise Unset("CVDOPS_TOKEN holds something that is no token.")
    return Place(url, token)


def _check(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.username:
        raise Unset(f"{url} is no address of a portal. It looks like https://ops.example.com.")
    if parts.scheme == "http" and parts.hostname not in _HERE:
        raise Unset(f"{url} is not encrypted: others could read the token. Use https.")


def _read(path: Path) -> dict[str, str]:
    try:
        with path.open(encoding="utf-8") as file:
            status = os.fstat(file.fileno())
            text = file.read(65_536)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Unset(f"{path} cannot be read: {error}.") from None
    if stat.S_IMODE(status.st_mode) & 0o077 or status.st_uid != os.geteuid():
        raise Unset(f"Others may read {path}, which holds a token. Run: chmod 600 {path}")
    found: dict[str, str] = {}
    for number, line in enumerate(map(str.strip, text.splitlines()), start=1):
        if not line or line.startswith("#"):
            continue
        name, _, value = (part.strip() for part in line.partition("="))
        if name not in _KNOWN:  # it is not quoted: it may hold a token
            raise Unset(f"Line {number} of {path} says neither {' nor '.join(_KNOWN)}=….")
        found[name] = value.strip("\"'")
    return found
