"""`manage.py run`: start a runbook as the page does, and see it to its end."""

import getpass
import time
from argparse import ArgumentParser
from typing import Any, ClassVar

from django.db import transaction

from cvdops.access.policy import Action
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.client import arguments
from cvdops.client.following import Following, patience
from cvdops.client.story import Exit, Story, summary
from cvdops.environments.models import Environment
from cvdops.executions import services
from cvdops.executions.models import Execution, HostCheck
from cvdops.executions.services.trying import DryRun
from cvdops.lib.command import Error, PortalCommand
from cvdops.lib.console import Console
from cvdops.lib.errors import Invalid, Problem, Refused
from cvdops.notifications import addresses
from cvdops.web import rehearsal
from cvdops.web.followed import Followed, place


class Command(PortalCommand):
    help = (
        "Start a runbook by the rules of the page, in the name of --as, and wait for its end. A worker carries "
        "it out. With --follow what the steps print goes to stdout as it comes, and all else to stderr."
    )
    examples: ClassVar = (
        (
            "manage.py run backup-restore --procedure backup-database --env development "
            '--reason "before the release" --as devops-engineer --confirm-checklist --follow',
            "take a backup and watch it",
        ),
        (
            "manage.py run deployment --procedure deploy --env development "
            "--var TARGET_VERSION=v1.0.1 --as devops-engineer --dry-run",
            "show what would run, ask the hosts, start nothing",
        ),
        (
            "manage.py run deployment --procedure deploy --env development --var TARGET_VERSION=v1.0.1 "
            '--reason "paging" --as devops-engineer --confirm-checklist --json',
            "start it, end with 3 at the approval, and print how it stands",
        ),
    )
    exits: ClassVar = arguments.EXITS

    def add_arguments(self, parser: ArgumentParser) -> None:
        arguments.add_start(parser)
        parser.add_argument(
            "--as", required=True, dest="user", metavar="USER", help="in whose name"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise Error(f"There is no open account {options['user']}.")
        try:
            do = self._rehearse if options["dry_run"] else self._run
            code = do(user, options)
        except Refused as error:
            data = {"by": _by(), "reasons": [reason.code for reason in error.reasons]}
            record(user, Action.START, "runbook", options["runbook"], allowed=False, data=data)
            raise
        if code:
            raise SystemExit(int(code))

    def _run(self, user: User, options: dict[str, Any]) -> Exit:
        execution = start(user, options)
        console, follow = self.console, options["follow"]
        page = place(addresses.execution(execution.pk))
        console.tell(f"#{execution.number} was started: {page}")
        if not options["confirm_checklist"]:
            for mark in execution.checklist.filter(moment="before", confirmed_by=user):
                console.tell(f"Confirmed by starting it: {mark.text}")
        limit = patience(options["wait"], follow=follow, attended=console.attended)
        story = Story(console, outputs=follow, aside=options["json"])
        code, look = Following(Followed(user, execution.pk), console, story, limit).run()
        if options["json"] and look:
            console.say_json(summary(look))
        return code

    def _rehearse(self, user: User, options: dict[str, Any]) -> Exit:
        made = services.dry_run(
            user,
            runbook=options["runbook"],
            environment=options["env"],
            procedure=options["procedure"],
            variables=dict(options["var"]),
        )
        checks = _answered(made, self.console)
        if options["json"]:
            self.console.say_json(rehearsal.as_json(made.preview, checks))
        else:
            for line in rehearsal.lines(made.preview, checks):
                self.console.say(line)
        if any(check.done_at is None for check in checks):
            return Exit.WAITING
        now = made.preview.decision.allowed and rehearsal.good(checks)
        return Exit.SUCCEEDED if now else Exit.FAILED


def start(user: User, options: dict[str, Any]) -> Execution:
    """Start it. The audit log keeps by whose account of this machine it was done in somebody's name.

    Outside protected environments a script need say no more than what is to run: who runs the command
    gives the word for the checklist by it, and the account is the reason.
    """
    protected = Environment.objects.filter(pk=options["env"], protected=True).exists()
    confirmed = options["confirm_checklist"] or not protected
    with transaction.atomic():
        try:
            execution = services.start(
                user,
                runbook=options["runbook"],
                environment=options["env"],
                procedure=options["procedure"],
                variables=dict(options["var"]),
                reason=options["reason"] or ("" if protected else f"Started with {_by()}"),
                confirm_environment=options["confirm_environment"],
                checklist="confirmed" if confirmed else (),
            )
        except Invalid as error:
            raise _with_flags(error) from None
        data = {"verb": "command", "by": _by()}
        record(user, Action.START, "execution", execution.pk, data=data)
    return execution


def _with_flags(error: Invalid) -> Invalid:
    """The same, and by which flags it is mended."""
    problems = [(problem.field, problem.message) for problem in error.problems]
    return Invalid([Problem(*told) for told in arguments.with_flags(problems)])


def _answered(made: DryRun, console: Console) -> list[HostCheck]:
    """The tests of the hosts: all done, or as far as workers have come who do not live any more."""
    ids = [check.pk for check in made.checks]
    if ids:
        console.tell("Its hosts are asked for what the steps need.")
    while True:
        found = list(HostCheck.objects.select_related("host__environment").filter(pk__in=ids))
        if all(check.done_at or rehearsal.missing(check) for check in found):
            return found
        time.sleep(0.2)


def _by() -> str:
    return f"manage.py run by {getpass.getuser()}"
