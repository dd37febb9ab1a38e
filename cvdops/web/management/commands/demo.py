"""`manage.py demo`: the roles, environments, people and runbooks of the one-command system."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models.functions import Now

from cvdops.access.catalog import visible_runbooks
from cvdops.access.certification import VALID, Stage
from cvdops.access.models import Certification, Role, RoleGrant
from cvdops.accounts.models import User
from cvdops.catalog.sync import FileAction, sync
from cvdops.executions import services
from cvdops.lib.errors import UserError
from cvdops.web import installation
from cvdops.web.people import IN_TRAINING, PASSWORD, PEOPLE

EXECUTIONS: tuple[tuple[str, str, dict[str, str], str], ...] = (
    ("backup-restore", "backup-database", {}, "The nightly backup"),
    ("deployment", "deploy", {"TARGET_VERSION": "v1.0.1"}, "Paging for the device list"),
    ("deployment", "deploy", {"TARGET_VERSION": "v1.9.0"}, "A release that is not tagged yet"),
)
PRACTICE_FILE = "environment.json"  # written by the practice CVD: variable name → value


class Command(BaseCommand):
    help = "Create what is missing of the demo data. May be run any number of times."

    def handle(self, *_args: Any, **_options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("Production has no demo people: their password is public.")
        with transaction.atomic():
            installation.prepare(_practice_variables(settings.PRACTICE_DIR))
            _seed_people()
        try:
            results = sync().results
        except UserError as error:
            raise CommandError(str(error)) from None
        for result in results:
            if result.action is not FileAction.UNCHANGED:
                self.stdout.write(f"{result.path}: {result.action} {result.message}".rstrip())
        if settings.PRACTICE_DIR.exists():
            _seed_executions()


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
        raise CommandError(f"{path} cannot be read: {error}. Reset the practice CVD.") from None
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
