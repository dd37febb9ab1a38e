"""What a step starts with: its environment, its working directory, and which values are secret."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from cvdops.environments.models import Host, HostKey
from cvdops.executions import remote
from cvdops.executions.models import Execution
from cvdops.executions.plan import Target
from cvdops.lib.redaction import Masker
from cvdops.lib.sealing import unseal
from cvdops.runners.job import StartFailed, Transport
from cvdops.runners.local import LocalTransport

ACCOUNT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": str(Path.home()),
    "LANG": "C.UTF-8",
}


def transport(target: Target) -> Transport:
    """The way to a host. Raises StartFailed if it is not the host that the plan means any more."""
    if target.transport == Host.Transport.LOCAL:
        return _local()
    keys = {key.fingerprint: key for key in HostKey.objects.filter(host=target.id)}
    if set(keys) != set(target.keys):
        raise StartFailed(
            f"The keys of {target.name} were changed after this execution was planned. "
            "Start a new one: what was approved was for the host with the former keys."
        )
    return remote.transport(target, tuple(keys.values()))


@cache
def _local() -> Transport:
    return LocalTransport(settings.SPOOL_DIR)


def secrets(execution: Execution) -> dict[str, str]:
    """The secret variables, in the clear. Raises SealBroken."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return unseal(bytes(execution.sealed), keys)


def masker(execution: Execution) -> Masker:
    """What removes the secrets from the output."""
    return Masker(secrets(execution).values())


def variables(execution: Execution, host: str) -> dict[str, str]:
    """The variables of a step on this host, without the secrets: as resolved at the start, then what
    earlier steps left, those of no host first."""
    values = dict(execution.variables)
    for name in {"": "", host: host}:
        values |= execution.session.get(name, {}).get("variables", {})
    return values


def environment(execution: Execution, target: Target) -> dict[str, str]:
    """The variables of a job: nothing of the worker's own gets in, and a login has its own on its host."""
    own = ACCOUNT if target.transport == Host.Transport.LOCAL else {}
    return {**own, **variables(execution, target.name), **secrets(execution)}


def without(session: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What steps left on the hosts that have this variable, without it: its newest value is of no host."""
    return {
        host: {**left, "variables": {n: v for n, v in left["variables"].items() if n != name}}
        for host, left in session.items()
        if name in left["variables"]
    }


def after(
    session: Mapping[str, Any],
    started_with: Mapping[str, str],
    variables: Mapping[str, str],
    cwd: str,
    masked: Mapping[str, str],
) -> dict[str, Any]:
    """The session after a step: what it set or changed is added. Nothing that has a secret in it is."""
    masker = Masker(masked.values())
    fresh = {
        name: value
        for name, value in variables.items()
        if started_with.get(name) != value and name not in masked and not masker.finds(value)
    }
    cwd = session.get("cwd", "") if masker.finds(cwd) else cwd
    return {"variables": {**session.get("variables", {}), **fresh}, "cwd": cwd}
