"""`manage.py token`: an API token for somebody, printed once."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any, ClassVar

from cvdops.access import tokens
from cvdops.access.tokens import Scope
from cvdops.accounts.models import User
from cvdops.lib.command import Error, PortalCommand


def _days(text: str) -> int:
    match = re.fullmatch(r"(\d{1,4})d?", text)
    if match is None:
        raise ArgumentTypeError("a number of days, such as 30d")
    return int(match[1])


class Command(PortalCommand):
    help = (
        "Make an API token for a person and print it, once: the portal keeps only its digest. It opens what "
        "its person may do, and of that only its scopes."
    )
    examples: ClassVar = (
        (
            "manage.py token devops-engineer --name pipeline --expires 90d",
            "for starting and watching",
        ),
        (
            "manage.py token auditor --name archive --scope read > token && chmod 600 token",
            "for reading alone",
        ),
        (
            "manage.py token operations-manager --name tablet --scope read --scope approve",
            "for deciding, too",
        ),
    )
    exits: ClassVar = (
        (0, "the token was printed"),
        (2, "none was made: no such account, a name that is taken, too many days"),
    )

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
            raise Error(f"There is no open account {options['user']}.")
        scopes = options["scope"] or [Scope.READ.value, Scope.RUN.value]
        token, text = tokens.make(user, options["name"], scopes, options["expires"])
        if options["json"]:
            facts = {"name": token.name, "scopes": token.scopes, "expires_at": token.expires_at}
            self.console.say_json({"token": text, **facts})
            return
        self.console.tell(f"It ends {token.expires_at:%Y-%m-%d %H:%M} UTC and is shown only now:")
        self.console.say(text)
