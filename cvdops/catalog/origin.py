"""Where runbooks may come from, by the settings: what is accepted, and why the rest is not. Pure."""

import re
import shlex
from dataclasses import dataclass
from urllib.parse import urlsplit

_USUAL = re.compile(r"[^\x00-\x1f\x7f]{1,500}")
_HELPER = re.compile(r"[A-Za-z0-9+.-]*::")  # `ext::` and its like run programs
_SCP = re.compile(r"(?P<account>[\w.-]+@)?(?P<host>[\w.-]+):(?P<path>[^/].*)")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\]")
_ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_URL_PATH = re.compile(r"/[A-Za-z0-9._~/+@=,%-]{1,400}")
_BRANCH = re.compile(r"(?!.*(\.\.|//|/\.|\.lock(/|$)|[./]$))[A-Za-z0-9][A-Za-z0-9._/+-]{0,199}")
_FOLDER = re.compile(r"(?!.*[ .](/|$))\w[\w .+-]*(/\w[\w .+-]*)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Origin:
    """A folder, or a Git repository with the branch (empty: its HEAD) and the folder inside it."""

    location: str
    branch: str = ""
    folder: str = ""

    @property
    def scheme(self) -> str:
        """The protocol that it is reached by: https, ssh, or file for a path."""
        return urlsplit(self.location).scheme if "://" in self.location else "file"


class WrongOrigin(ValueError):
    """The settings name no place that runbooks are read from. One sentence says why."""


def origin(location: str, branch: str = "", folder: str = "") -> Origin:
    """The place that the three settings name. Raises WrongOrigin."""
    if not _USUAL.fullmatch(location):
        raise WrongOrigin("CVDOPS_RUNBOOKS is empty, too long or holds control characters.")
    if location.startswith("-") or _HELPER.match(location):
        raise WrongOrigin(f"CVDOPS_RUNBOOKS is neither a path nor an address: {location[:80]!r}.")
    if "://" in location:
        _check_url(location)
    elif scp := _SCP.fullmatch(location):
        account, host, path = scp.group("account") or "", scp.group("host"), scp.group("path")
        raise WrongOrigin(f"CVDOPS_RUNBOOKS must be written as ssh://{account}{host}/{path[:200]}.")
    if branch and not _BRANCH.fullmatch(branch):
        raise WrongOrigin(f"CVDOPS_RUNBOOKS_BRANCH is not the name of a branch: {branch[:80]!r}.")
    folder = folder.rstrip("/")
    if folder and not (len(folder) <= 200 and _FOLDER.fullmatch(folder)):
        raise WrongOrigin(
            "CVDOPS_RUNBOOKS_FOLDER must be a path inside the repository, such as ops/runbooks, "
            f"not {folder[:80]!r}."
        )
    return Origin(location, branch, folder)


def ssh_command(words: str) -> tuple[str, ...]:
    """The program that ssh:// is reached by, with its options. Raises WrongOrigin."""
    try:
        command = tuple(shlex.split(words))
    except ValueError:
        command = ()
    if not command:
        raise WrongOrigin(
            "CVDOPS_RUNBOOKS_SSH must be a command such as 'ssh -i /run/secrets/key', "
            f"not {words[:80]!r}."
        )
    return command


def _check_url(location: str) -> None:
    try:
        parts = urlsplit(location)
        port = parts.port
    except ValueError:
        raise WrongOrigin("CVDOPS_RUNBOOKS has a host or port that is none.") from None
    if parts.scheme == "file":
        raise WrongOrigin("CVDOPS_RUNBOOKS must name a path without file:// before it.")
    if parts.scheme not in {"https", "ssh"}:
        raise WrongOrigin(
            f"CVDOPS_RUNBOOKS must be a path, https:// or ssh://, not {parts.scheme}://."
        )
    if parts.password is not None or (parts.username is not None and parts.scheme == "https"):
        raise WrongOrigin(
            "CVDOPS_RUNBOOKS must hold no name or password: the address is shown on pages. "
            "Read a private repository with a key, by ssh://."
        )
    account, _, authority = parts.netloc.rpartition("@")
    host = authority if port is None else authority.removesuffix(f":{port}")
    sound = _HOST.fullmatch(host) and _URL_PATH.fullmatch(parts.path)
    if not sound or parts.query or parts.fragment or (account and not _ACCOUNT.fullmatch(account)):
        raise WrongOrigin("CVDOPS_RUNBOOKS is not the plain address of a repository.")
