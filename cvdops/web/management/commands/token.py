"""`manage.py token`: an API token for somebody, printed once."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cvdops.access import tokens
from cvdops.access.tokens import Scope
from cvdops.accounts.models import User
from cvdops.lib.errors import Invalid


def _days(text: str) -> int:
    match = re.fullmatch(r"(\d{1,4})d?", text)
    if match is None:
        raise ArgumentTypeError("a number of days, such as 30d")
    return int(match[1])


class Command(BaseCommand):
    help = "Make an API token for a person and print it, once. Exit 0; 2 if it cannot be."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="USER")
        parser.add_argument("--name", required=True, help="what it is for")
        parser.add_argument(
            "--expires", type=_days, default=30, metavar="30d", help="1 to 365 days"
        )
        parser.add_argument(
            "--scope",
            action="append",
            choices=[scope.value for scope in Scope if scope is not Scope.ADMINISTER],
            help="what it is good for; may be repeated (default: read and run)",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no open account {options['user']}.", returncode=2)
        scopes = options["scope"] or [Scope.READ.value, Scope.RUN.value]
        try:
            token, text = tokens.make(user, options["name"], scopes, options["expires"])
        except Invalid as error:
            raise CommandError(str(error), returncode=2) from None
        self.stderr.write(f"It ends {token.expires_at:%Y-%m-%d %H:%M} UTC and is shown only now:")
        self.stdout.write(text)
