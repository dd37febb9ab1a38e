"""The private key of a host, looked at before it is used: it lies on the portal's machine."""

import subprocess

from cvdops.runners.checks import Doubtful, Failed, Skip
from cvdops.runners.ssh.address import Address
from cvdops.runners.ssh.client import Client
from cvdops.runners.ssh.known_hosts import HostKey

_TIMEOUT = 5.0  # seconds


def look(client: Client, address: Address) -> str:
    """The sentence about a key that can be used. Raises Failed, Doubtful, Skip."""
    if not address.key:
        raise Skip("OpenSSH's configuration and its agent say which key is used.")
    file = client.folder / "keys" / address.key
    put = f"Put the private key there, readable for the portal's user alone (mode 600): {file}"
    try:
        mode = file.stat().st_mode
    except OSError:
        raise Failed(f"There is no private key {address.key}. {put}") from None
    if mode & 0o077:
        raise Failed(
            f"The private key {address.key} can be read by others, so OpenSSH does not use it. "
            f"Make it readable for its owner alone (mode 600): {file}"
        )
    public = _public(client, address.key)
    if public is None:
        raise Doubtful(
            f"{address.key} is no private key, or asks for a passphrase: then it works only while an "
            f"agent holds it. {put}"
        )
    return f"It is {public.fingerprint}: that has to stand in authorized_keys of its user."


def _public(client: Client, name: str) -> HostKey | None:
    """Its public half, as `ssh-keygen` finds it; None if it is no key, or asks for a passphrase."""
    command = [*("ssh-keygen", "-y", "-P", "", "-f"), f"keys/{name}"]
    try:
        kind, key = client.run(command, _TIMEOUT).stdout.split()[:2]
        return HostKey(kind, key)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None
