"""The hosts that are reached by SSH: one connection each in this process, with the keys that were confirmed."""

from collections.abc import Sequence
from functools import cache
from threading import Lock

from django.conf import settings

from cvdops.environments.models import HostKey
from cvdops.executions.plan import Target
from cvdops.runners.job import StartFailed
from cvdops.runners.ssh import Address, SshTransport, known_hosts

_pinning = Lock()


def transport(target: Target, keys: Sequence[HostKey]) -> SshTransport:
    """The way to this host, which has to show one of these keys."""
    _pin(target, keys)
    return _transport(target)


def fresh(target: Target, keys: Sequence[HostKey]) -> SshTransport:
    """The same with a channel of its own, which knows nothing from before. To be closed."""
    _pin(target, keys)
    return SshTransport(address(target), settings.SSH_DIR)


def address(target: Target) -> Address:
    """Where OpenSSH finds it. Its keys are pinned under a name that stays when the address changes."""
    return Address(
        alias=f"host-{target.id}",
        host=target.address,
        name=target.name,
        user=target.user,
        port=target.port or None,
        key=target.key,
        jump=target.jump,
    )


@cache
def _transport(target: Target) -> SshTransport:
    return SshTransport(address(target), settings.SSH_DIR)


def _pin(target: Target, keys: Sequence[HostKey]) -> None:
    """Whatever the file says, which workers of this machine share: from now on exactly these keys.

    Raises StartFailed.
    """
    confirmed = [known_hosts.HostKey(key.kind, key.key) for key in keys]
    alias, file = address(target).alias, known_hosts.KnownHosts(settings.SSH_DIR)
    with _pinning:
        if sorted(file.keys(alias), key=str) == sorted(confirmed, key=str):
            return
        try:
            file.replace(alias, confirmed)
        except OSError as error:
            raise StartFailed(
                f"The confirmed keys of {target.name} cannot be written on the worker's machine: "
                f"{error.strerror or error}. Mend that, then retry the step."
            ) from None
    # A connection that proved itself by a former key is none to go on with.
    _transport(target).link.master.close()
