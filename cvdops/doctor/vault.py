"""Whether the secrets of the environments can be opened, and with which key."""

from django.conf import settings

from cvdops.doctor.finding import Finding, ok, warning, wrong
from cvdops.environments.models import EnvironmentSecret
from cvdops.lib.sealing import SealBroken, unseal


def secrets() -> Finding:
    current = list(EnvironmentSecret.objects.filter(replaced_at=None))
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    if lost := [_called(s) for s in current if not _opens(s, keys)]:
        return wrong(
            "secrets",
            f"These secrets cannot be opened with any key: {', '.join(lost)}.",
            "What needs them is not started.",
            "Add the former key to SECRET_KEY_FALLBACKS, or set them anew.",
        )
    if former := [_called(s) for s in current if not _opens(s, keys[:1])]:
        return warning(
            "secrets",
            f"These secrets are encrypted with a former key: {', '.join(former)}.",
            "They are lost when it is left out of SECRET_KEY_FALLBACKS.",
            "Run `manage.py rotate_keys`.",
        )
    return ok("secrets", f"{len(current)} secrets of environments can be opened.")


def _opens(secret: EnvironmentSecret, keys: tuple[str, ...]) -> bool:
    try:
        unseal(bytes(secret.sealed), keys)
    except SealBroken:
        return False
    return True


def _called(secret: EnvironmentSecret) -> str:
    return f"{secret.name} of {secret.environment_id}"
