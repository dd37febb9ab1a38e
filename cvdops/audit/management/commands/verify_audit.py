"""`manage.py verify_audit`: the chain of the audit log, every entry of it."""

from typing import Any, ClassVar

from cvdops.audit import chain, heads
from cvdops.lib.command import Error, PortalCommand


class Command(PortalCommand):
    help = (
        "Check the chain of the audit log against itself and against the heads that were noted outside the "
        "database. It reads every entry and changes nothing."
    )
    examples: ClassVar = (
        ("manage.py verify_audit", "is the log whole, and what is its head?"),
        ("manage.py verify_audit --json", "the same for a program, to be kept elsewhere"),
    )
    exits: ClassVar = (
        (0, "the log is whole"),
        (1, "it is not; the first broken entry is named"),
        (2, "it could not be checked: the noted heads, or the database, cannot be read"),
    )

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            known = heads.known()
        except heads.HeadsUnreadable as error:
            raise Error(str(error)) from None
        walk = chain.verify(known)
        if walk.problem:
            raise Error(f"The audit log is not whole. {walk.problem}", returncode=1)
        if options["json"]:
            head = {"number": walk.head.number, "hash": walk.head.hash.hex()}
            self.console.say_json({"whole": True, "head": head, "noted": len(known)})
            return
        self.console.say(
            f"The audit log is whole: {walk.head.number} entries, "
            f"the last with the hash {walk.head.hash.hex() or 'none'}.\n"
            f"Of the heads that were noted outside the database all fit: {len(known)}."
        )
