"""`manage.py grant`: the role of the database by which web servers and workers log in, and its rights."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

from django.db import transaction

from cvdops.executions import privileges
from cvdops.lib.command import Error, PortalCommand


class Command(PortalCommand):
    help = (
        "Give web servers and workers a role of their own in the database, which may do all that the portal "
        "needs and cannot change the audit log. Run it as the owner of the tables, after each migration."
    )
    examples: ClassVar = (
        ("manage.py grant /run/secrets/portal_database_url", "after `manage.py migrate`"),
    )
    exits: ClassVar = (
        (0, "the role can be used"),
        (2, "nothing was changed: no address in the file, or a role that may do anything anyway"),
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file",
            type=Path,
            metavar="FILE",
            help="holds the DATABASE_URL of web servers and workers; its role is made if there is none",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            parts = urlsplit(options["file"].read_text().strip())
        except (OSError, ValueError):
            raise Error(f"{options['file']} holds no address of a database.") from None
        role = unquote(parts.username or "")
        with transaction.atomic():
            privileges.let_in(role, unquote(parts.password or ""))
            privileges.grant(role)
        if options["json"]:
            self.console.say_json({"role": role})
        else:
            self.console.say(f"{role} can be used by web servers and workers.")
