"""`manage.py verify_audit`: the chain of the audit log, every entry of it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cvdops.audit import chain, heads


class Command(BaseCommand):
    help = (
        "Check the chain of the audit log against itself and against the heads that were noted outside the "
        "database. Exit 0 if it is whole, 1 with the first broken entry, 2 if the noted heads cannot be read."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            known = heads.known()
        except heads.HeadsUnreadable as error:
            raise CommandError(str(error), returncode=2) from None
        walk = chain.verify(known)
        if walk.problem:
            raise CommandError(f"The audit log is not whole. {walk.problem}", returncode=1)
        self.stdout.write(
            f"The audit log is whole: {walk.head.number} entries, "
            f"the last with the hash {walk.head.hash.hex() or 'none'}.\n"
            f"Of the heads that were noted outside the database all fit: {len(known)}."
        )
