"""What OpenSSH's complaints mean, as sentences for people."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from cvdops.runners.job import RETRY, Reason, Unreachable
from cvdops.runners.ssh.address import Address

_SHOWN = 300  # characters of what OpenSSH said


@dataclass(frozen=True, slots=True)
class _Row:
    """One thing that can be wrong. The groups of the pattern go into the sentence."""

    pattern: re.Pattern[str]
    reason: Reason
    why: str
    remedy: str


def _row(pattern: str, reason: Reason, why: str, remedy: str) -> _Row:
    return _Row(re.compile(pattern), reason, why, remedy)


_ROWS = (  # the first that is found counts
    _row(
        r"Could not resolve hostname ([^\s:]+)",
        Reason.NAME,
        "The name {0} does not resolve.",
        f"Correct the address of the host or mend DNS{RETRY}",
    ),
    _row(
        r"port (\d+): Connection refused",
        Reason.REFUSED,
        "Nothing listens on its port {0}.",
        f"Start its SSH server or correct the port{RETRY}",
    ),
    _row(
        r"(No route to host|Network is unreachable|(?<=connect failed: )[^\n]+)",
        Reason.NETWORK,
        "There is no way to it: {0}.",
        f"Mend the network or correct the address{RETRY}",
    ),
    _row(
        r"timed out|Timeout, server",
        Reason.TIMEOUT,
        "It did not answer in time.",
        f"Look whether it is up and whether a firewall lets SSH through{RETRY}",
    ),
    _row(
        r"REMOTE HOST IDENTIFICATION HAS CHANGED",
        Reason.KEY_CHANGED,
        "Its host key is NOT the one that was confirmed.",
        "Somebody may be listening in between. Nothing is sent to it until a person who knows why "
        "the key changed confirms the new one.",
    ),
    _row(
        r"No \S+ host key is known",
        Reason.KEY_UNKNOWN,
        "Nobody has confirmed its host key yet.",
        "Compare the fingerprint with that of the host and confirm it.",
    ),
    _row(
        r"UNPROTECTED PRIVATE KEY FILE",
        Reason.KEY_FILE,
        "The private key can be read by others, so OpenSSH does not use it.",
        f"Make the key file readable for its owner alone (mode 600){RETRY}",
    ),
    _row(
        r'(?:Load key|Identity file) "?([^"\n]+?)"?(?::| not accessible:) ([^\n]+)',
        Reason.KEY_FILE,
        "The private key {0} cannot be used: {1}.",
        f"Put the key there, readable for the portal's user alone{RETRY}",
    ),
    _row(
        r"Permission denied \(([^)\n]*)\)|Too many authentication failures",
        Reason.LOGIN,
        "It refused the login.",
        f"Add the portal's public key to authorized_keys of that user{RETRY}",
    ),
    _row(
        r"Unable to negotiate[^\n]*: ([^\n.]+)",
        Reason.ALGORITHMS,
        "It offers only algorithms that this client refuses: {0}.",
        "Update its SSH server.",
    ),
    _row(
        r"(Bad configuration option[^\n]*|Bad owner or permissions[^\n]*|[^\n]*bad configuration[^\n]*)",
        Reason.CONFIGURATION,
        "OpenSSH's configuration on the portal's machine is wrong: {0}.",
        f"Mend it{RETRY}",
    ),
)
_SHOWS = re.compile(r"^debug1: Server host key: \S+ (SHA256:[A-Za-z0-9+/]{43})", re.MULTILINE)
# Words of a connection that never came as far as the host itself
_BETWEEN = re.compile(r"kex_exchange_identification|UNKNOWN port 65535|jumphost loop")

# No page confirms it: it is a host of OpenSSH's configuration, not one of an environment.
_IN_BETWEEN = (
    "Its key is looked up in ~/.ssh/known_hosts of the account that runs the worker: as that account, "
    f"on each worker's machine, log in to it with ssh, compare the fingerprint and accept it{RETRY}"
)


def diagnose(address: Address, said: str, confirmed: Collection[str] = ()) -> Unreachable:
    """Why a connection could not be made, from what OpenSSH wrote, messages for debugging included.

    `confirmed`: the fingerprints that are pinned for the host.
    """
    shown = _SHOWS.findall(said)
    said = "\n".join(line for line in said.splitlines() if not line.startswith("debug1:"))
    found = _known(address, said) or closed(address, said)
    if not address.jump or not _BETWEEN.search(said):
        return _with_keys(found, shown[-1:], confirmed)
    confirms = found.reason in (Reason.KEY_UNKNOWN, Reason.KEY_CHANGED)
    return Unreachable(
        address.label,
        Reason.JUMP,
        f"The host in between ({address.jump}) does not let it through. {found.why}",
        _IN_BETWEEN if confirms else found.remedy,
    )


def _with_keys(
    error: Unreachable, shown: Collection[str], confirmed: Collection[str]
) -> Unreachable:
    """Name the keys, where they are the matter. Another kind of key is another key."""
    if error.reason not in (Reason.KEY_UNKNOWN, Reason.KEY_CHANGED):
        return error
    if confirmed and error.reason is Reason.KEY_UNKNOWN:
        row = next(row for row in _ROWS if row.reason is Reason.KEY_CHANGED)
        error = Unreachable(error.host, row.reason, row.why, row.remedy)
    why = error.why
    if shown:
        why += f" It shows {', '.join(shown)}."
    if confirmed:
        why += f" Confirmed is {', '.join(confirmed)}."
    return Unreachable(error.host, error.reason, why, error.remedy)


def _known(address: Address, said: str) -> Unreachable | None:
    for row in _ROWS:
        if match := row.pattern.search(said):
            why = row.why.format(*(clean(group or "") for group in match.groups()))
            return Unreachable(address.label, row.reason, why, row.remedy)
    return None


def closed(address: Address, said: str = "") -> Unreachable:
    """The connection ended without a known complaint."""
    last = clean(said)
    return Unreachable(
        address.label,
        Reason.CLOSED,
        f"The connection was closed{': ' + last if last else ''}.",
        f"Look at the log of its SSH server{RETRY}",
    )


def silent(address: Address) -> Unreachable:
    """It was connected, and then it did not answer any more."""
    row = next(row for row in _ROWS if row.reason is Reason.TIMEOUT)
    return Unreachable(address.label, row.reason, row.why, row.remedy)


def clean(text: str) -> str:
    """Words of the other side, fit for a sentence: printable, short, on one line, no full stop."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line[:_SHOWN].rstrip(" .")
