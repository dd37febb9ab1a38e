"""`manage.py rotate_keys`: everything that is encrypted, encrypted anew with the newest key."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from cvdops.audit.log import record
from cvdops.environments.models import EnvironmentSecret
from cvdops.executions.models import Execution, Trigger
from cvdops.lib.command import Error, PortalCommand
from cvdops.lib.sealing import SealBroken, reseal


class Command(PortalCommand):
    help = (
        "Encrypt every secret with SECRET_KEY that was encrypted with one of SECRET_KEY_FALLBACKS. "
        "After it has ended with 0 the former keys can be left out. May be run any number of times."
    )
    examples: ClassVar = (("manage.py rotate_keys", "after SECRET_KEY was changed"),)
    exits: ClassVar = (
        (0, "everything is encrypted with SECRET_KEY"),
        (1, "some secrets cannot be opened with any key; they are named"),
        (2, "the database cannot be reached"),
    )

    def handle(self, *_args: Any, **options: Any) -> None:
        secrets, lost = _rotate(EnvironmentSecret.objects.all())
        executions, more = _rotate(Execution.objects.all())
        triggers, others = _rotate(Trigger.objects.all())
        more += others
        secrets += triggers
        with transaction.atomic():
            data = {"secrets": secrets, "executions": executions, "broken": len(lost + more)}
            record(None, "secrets.rotate", "installation", "keys", data=data)
        if not options["json"]:
            self.console.say(f"Encrypted anew: {secrets} secrets, of {executions} executions.")
        if lost or more:
            raise Error(
                f"These cannot be opened with any of the keys: {', '.join(lost + more)}. "
                "Add the former key to SECRET_KEY_FALLBACKS, or set the secrets anew.",
                returncode=1,
            )
        if options["json"]:
            self.console.say_json({"secrets": secrets, "executions": executions})


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
