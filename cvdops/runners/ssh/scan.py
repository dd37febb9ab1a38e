"""Asking a host for its keys, the same way as it is reached later: aliases and hosts in between count."""

import secrets
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

from cvdops.runners.ssh.address import Address
from cvdops.runners.ssh.client import CONNECT_TIMEOUT, Client
from cvdops.runners.ssh.diagnosis import diagnose, silent
from cvdops.runners.ssh.known_hosts import HostKey, read_entries

_KINDS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521",
    "rsa-sha2-512,rsa-sha2-256",
)
_TIMEOUT = CONNECT_TIMEOUT + 7  # seconds


def scan(client: Client, address: Address) -> tuple[HostKey, ...]:
    """The keys that it shows now, the strongest kind first; nobody logs in. Raises Unreachable."""
    client.prepare(address.label)
    address = replace(address, key="")  # which may be missing: that is no matter of the host
    with ThreadPoolExecutor(len(_KINDS)) as pool:
        answers = list(pool.map(lambda kind: _ask(client, address, kind), _KINDS))
    keys = tuple(key for key, _ in answers if key is not None)
    if keys:
        return keys
    said = answers[0][1]
    raise silent(address) if said is None else diagnose(address, said)


def _ask(client: Client, address: Address, kind: str) -> tuple[HostKey | None, str | None]:
    """The key of a kind, and what OpenSSH said; None if it said nothing in time.

    A connection that accepts any key notes it in a file of its own, and ends before a login.
    """
    noted = f".scan-{secrets.token_hex(8)}"
    options = (
        *("-S", "none", "-o", "StrictHostKeyChecking=accept-new"),
        *("-o", f"UserKnownHostsFile={noted}", "-o", f"HostKeyAlgorithms={kind}"),
        *("-o", "PreferredAuthentications=none", "-o", "PubkeyAuthentication=no"),
    )
    path = client.folder / noted
    try:
        said = _run([*client.command(address, *options), "true"], client)
        found = next((key for name, key in read_entries(path) if name == address.alias), None)
        return found, said
    finally:
        path.unlink(missing_ok=True)


def _run(command: list[str], client: Client) -> str | None:
    with tempfile.TemporaryFile() as said, suppress(subprocess.TimeoutExpired):
        subprocess.run(
            command,
            cwd=client.folder,
            env=client.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            timeout=_TIMEOUT,
            check=False,
            start_new_session=True,
        )
        said.seek(0)
        return said.read(16384).decode(errors="replace")
    return None
