"""`manage.py rotate_keys`: everything that is encrypted, encrypted anew with the newest key."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import QuerySet

from cvdops.audit.log import record
from cvdops.environments.models import EnvironmentSecret
from cvdops.executions.models import Execution
from cvdops.lib.sealing import SealBroken, reseal


class Command(BaseCommand):
    help = (
        "Encrypt every secret with SECRET_KEY that was encrypted with one of SECRET_KEY_FALLBACKS. "
        "After it has ended with 0 the former keys can be left out. May be run any number of times."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        secrets, lost = _rotate(EnvironmentSecret.objects.all())
        executions, more = _rotate(Execution.objects.all())
        with transaction.atomic():
            data = {"secrets": secrets, "executions": executions, "broken": len(lost + more)}
            record(None, "secrets.rotate", "installation", "keys", data=data)
        self.stdout.write(f"Encrypted anew: {secrets} secrets, of {executions} executions.")
        if lost or more:
            raise CommandError(
                f"These cannot be opened with any of the keys: {', '.join(lost + more)}. "
                "Add the former key to SECRET_KEY_FALLBACKS, or set the secrets anew."
            )


def _rotate(found: QuerySet[Any]) -> tuple[int, list[str]]:
    """How many were encrypted anew, and which could not be opened."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    count, lost = 0, []
    for pk in found.exclude(sealed=b"").values_list("pk", flat=True):
        row = found.filter(pk=pk)
        with transaction.atomic():
            one = row.select_for_update(of=("self",)).only("sealed").get()
            if not one.sealed:
                continue  # it was replaced meanwhile
            try:
                count += row.update(sealed=reseal(bytes(one.sealed), keys))
            except SealBroken:
                lost.append(f"{found.model.__name__} {pk}")
    return count, lost
