"""`manage.py person`: the first people of a new installation, and a way back in for an administrator."""

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.db import transaction
from django.db.models.functions import Now

from cvdops.access.certification import VALID, Stage
from cvdops.access.models import Certification, Role, RoleGrant
from cvdops.access.policy import Action
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.changes import accounts
from cvdops.lib.command import Error, PortalCommand
from cvdops.web import installation


class Command(PortalCommand):
    help = (
        "Open an account and print its first password, once. Opens only what is missing: for somebody who has "
        "an account already, --new-password makes another password. In the portal administrators do all this."
    )
    examples: ClassVar = (
        (
            "manage.py person ada --name 'Ada King' --role admin --role operations-lead",
            "the first person of a new installation",
        ),
        ("manage.py person ada --new-password", "a way back in"),
    )
    exits: ClassVar = (
        (0, "the password was printed"),
        (2, "nothing was changed: a name that is taken, a role that there is not"),
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", metavar="USER")
        parser.add_argument("--name", help="how the portal calls them (default: the user name)")
        parser.add_argument("--email", default="")
        parser.add_argument(
            "--role",
            action="append",
            default=[],
            metavar="SLUG",
            help="such as admin; may be repeated",
        )
        parser.add_argument("--new-password", action="store_true")

    def handle(self, *_args: Any, **options: Any) -> None:
        with transaction.atomic():
            password = self._open(options)
        if options["json"]:
            self.console.say_json({"user": options["username"], "password": password})
            return
        self.console.say(
            f"The password of {options['username']} for the next login, where it has to be changed: {password}"
        )

    def _open(self, options: dict[str, Any]) -> str:
        username = options["username"]
        if options["new_password"]:
            return accounts.new_password(None, username)
        installation.prepare(None)
        roles = [self._role(slug) for slug in options["role"]]
        user, password = accounts.open_account(
            None, username, options["name"] or username, options["email"]
        )
        for role in roles:
            self._grant(user, role)
        return password

    def _role(self, slug: str) -> Role:
        found = Role.objects.filter(pk=slug).first()
        if found is None:
            known = ", ".join(Role.objects.values_list("slug", flat=True))
            raise Error(f"There is no role {slug}. There are: {known}.")
        return found

    def _grant(self, user: User, role: Role) -> None:
        RoleGrant.objects.create(user=user, role=role)
        data = {"role": role.slug, "by": "manage.py person"}
        record(None, "role.grant", "account", user.username, data=data)
        if role.leads and not user.certifications.exists():
            self._certify(user)

    def _certify(self, user: User) -> None:
        """Somebody has to be the first who can grant it to others."""
        note = "manage.py person"
        Certification.objects.create(
            user=user, stage=Stage.CERTIFIED, expires_at=Now() + VALID, note=note
        )
        data = {"after": Stage.CERTIFIED.label, "by": note}
        record(None, Action.CERTIFY, "person", user.username, data=data)
