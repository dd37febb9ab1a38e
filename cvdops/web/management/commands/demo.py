"""`manage.py demo`: the roles, environments, people and runbooks of the one-command system."""

import json
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from cvdops.access.catalog import visible_runbooks
from cvdops.access.certification import VALID, Stage
from cvdops.access.models import Certification, Role, RoleGrant
from cvdops.accounts.models import User
from cvdops.catalog.sync import FileAction, sync
from cvdops.executions import services
from cvdops.lib.command import Error, PortalCommand
from cvdops.web import installation
from cvdops.web.people import IN_TRAINING, PASSWORD, PEOPLE

EXECUTIONS: tuple[tuple[str, str, dict[str, str], str], ...] = (
    ("backup-restore", "backup-database", {}, "The nightly backup"),
    ("deployment", "deploy", {"TARGET_VERSION": "v1.0.1"}, "Paging for the device list"),
    ("deployment", "deploy", {"TARGET_VERSION": "v1.9.0"}, "A release that is not tagged yet"),
)
PRACTICE_FILE = "environment.json"  # written by the practice CVD: variable name → value


class Command(PortalCommand):
    help = (
        "Create what is missing of the demo data: roles, environments, a person for each role (password "
        "cvdops-demo), the catalog, and a little history. `make up` calls it; it may be run again and again."
    )
    examples: ClassVar = (("manage.py demo", "create what is missing"),)
    exits: ClassVar = (
        (0, "everything is there"),
        (2, "this is production, or the runbooks cannot be read"),
    )

    def handle(self, *_args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise Error("Production has no demo people: their password is public.")
        with transaction.atomic():
            installation.prepare(_practice_variables(settings.PRACTICE_DIR))
            _seed_people()
        changed = [r for r in sync().results if r.action is not FileAction.UNCHANGED]
        if settings.PRACTICE_DIR.exists():
            _seed_executions()
        if options["json"]:
            files = [{"path": result.path, "action": result.action} for result in changed]
            self.console.say_json({"people": [name for name, _ in PEOPLE], "runbooks": files})
            return
        for result in changed:
            self.console.say(f"{result.path}: {result.action} {result.message}".rstrip())


def _seed_executions() -> None:
    """A little history: real executions, which the worker carries out when it comes up.

    One succeeds, one waits for an approval, one fails and can be resumed.
    """
    engineer = User.objects.get(username="devops-engineer")
    known = set(visible_runbooks(engineer).values_list("pk", flat=True))
    for number, (runbook, procedure, variables, reason) in enumerate(EXECUTIONS):
        if runbook not in known:
            continue  # another folder of runbooks
        services.start(
            engineer,
            runbook=runbook,
            environment="development",
            procedure=procedure,
            variables=variables,
            reason=reason,
            checklist="confirmed",
            idempotency_key=f"demo-{number}",
        )


def _practice_variables(folder: Path) -> dict[str, str]:
    path = folder / PRACTICE_FILE
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Error(f"{path} cannot be read: {error}. Reset the practice CVD.") from None
    return {str(name): str(value) for name, value in content.items()}


def _seed_people() -> None:
    """Passwords are hashed slowly on purpose, so only those who are missing are made."""
    known = set(User.objects.values_list("username", flat=True))
    for username, name in PEOPLE:
        if username in known:
            continue
        user = User.objects.create_user(
            username, name, PASSWORD, f"{username}@example.com", demo=True
        )
        RoleGrant.objects.create(user=user, role=Role.objects.get(pk=username))
        Certification.objects.create(
            user=user,
            stage=IN_TRAINING.get(username, Stage.CERTIFIED),
            expires_at=Now() + VALID,
            note="Demo data",
        )
