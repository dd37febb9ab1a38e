"""Host keys: what a host shows, what people have confirmed, and confirming it."""

from enum import StrEnum

from django.db import transaction

from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.environments.models import Host, HostKey
from cvdops.executions import inventory, probes
from cvdops.executions.models import HostCheck
from cvdops.lib.errors import Conflict, Invalid, Problem

MAX_REASON = 2000  # characters


class Standing(StrEnum):
    """How the keys that a host showed stand to those that were confirmed."""

    NONE = "none"  # it showed none yet, or has none
    KNOWN = "known"
    UNKNOWN = "unknown"  # nobody has confirmed any
    CHANGED = "changed"  # none of them is one that was confirmed


def standing(host: Host, check: HostCheck | None) -> Standing:
    """As the test found it, and people have confirmed it until now."""
    if check is None or not check.keys:
        return Standing.NONE
    confirmed = {key.fingerprint for key in host.keys.all()}
    if not confirmed:
        return Standing.UNKNOWN
    shown = {key["fingerprint"] for key in check.keys}
    return Standing.KNOWN if shown & confirmed else Standing.CHANGED


def confirm(user: User, slug: str, name: str, fingerprint: str, reason: str = "") -> HostKey:
    """Confirm a key that the host showed in its last test, and have it tested again.

    A changed key replaces those before it and needs a reason. Raises NotFound, Refused, Invalid,
    Conflict.
    """
    can(user, Action.CONFIRM_KEY).enforce()
    host = inventory.host(slug, name)
    with transaction.atomic():
        Host.objects.select_for_update(no_key=True).only("pk").get(pk=host.pk)
        check = last_with_keys(host)
        shown = {key["fingerprint"]: key for key in check.keys} if check else {}
        if fingerprint not in shown:
            text = f"{name} does not show this key (any more). Test the connection again."
            raise Conflict(text, "The host does not show this key")
        how = standing(host, check)
        if how is Standing.KNOWN:
            text = f"The key of {name} is confirmed already."
            raise Conflict(text, "It is confirmed already")
        if how is Standing.CHANGED:
            _check_reason(reason)
        made = _replace(user, host, shown[fingerprint], reason.strip())
        probes.request(user, host, probes.declared_tools())
    return made


def last_with_keys(host: Host) -> HostCheck | None:
    """The newest test in which the host showed a key."""
    return host.checks.exclude(keys=[]).first()


def _check_reason(reason: str) -> None:
    if not reason.strip():
        text = "Say why the key has changed, and how you know that it is the right one."
        raise Invalid([Problem("reason", text)])
    if len(reason) > MAX_REASON:
        raise Invalid([Problem("reason", f"The reason has at most {MAX_REASON} characters.")])


def _replace(user: User, host: Host, key: dict[str, str], reason: str) -> HostKey:
    before = [key.fingerprint for key in host.keys.all()]
    host.keys.all().delete()
    made = HostKey.objects.create(host=host, confirmed_by=user, **key)
    data = {
        "verb": "replace" if before else "confirm",
        "host": host.name,
        "before": before,
        "after": made.fingerprint,
        **({"reason": reason} if reason else {}),
    }
    record(user, Action.CONFIRM_KEY, "environment", host.environment_id, data=data)
    return made
