"""What the portal itself can verify of the eight items before a start; the rest a person confirms."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.db.models.functions import Now

from cvdops.accounts.models import User
from cvdops.executions import queries
from cvdops.executions.checklists import ChecklistDraft
from cvdops.executions.commands import needed
from cvdops.executions.models import Execution, HostCheck
from cvdops.executions.plan import Plan
from cvdops.executions.states import ExecutionState
from cvdops.lib.together import Fixed
from cvdops.runners.checks import COMMAND
from cvdops.spec import backup
from cvdops.spec.backup import Backup
from cvdops.spec.document import Kind
from cvdops.spec.tools import declared

RECENT = timedelta(hours=1)  # how old a test of a host may be that still counts
NAMED = 3  # hosts

AUTHORIZATION = "Authorization: proper approval obtained if required"
BACKUP = "Backup: recent backup verified and available"
TOOLS = "Tools: all required tools and access available"
OVERLAPPING = 5  # backups that may run at once: the one that began last need not end last
TOOLS_AT = 3  # the place of that one
ROLLBACK = "Rollback plan: rollback procedure understood and available"


def before(
    user: User, plan: Plan, metadata: Mapping[str, object], documentation: ChecklistDraft
) -> tuple[ChecklistDraft, ...]:
    """The items in their order. The last is about the version, which the caller knows."""
    return (
        _authorization(plan),
        _backup(user, plan.environment, backup.asked(metadata)),
        ChecklistDraft("Communication: stakeholders notified if downtime expected"),
        _tools(plan, metadata),
        ChecklistDraft("Environment: confirmed working in correct environment"),
        _rollback(plan),
        ChecklistDraft("Team: required team members available"),
        documentation,
    )


def _authorization(plan: Plan) -> ChecklistDraft:
    gates = sum(step.kind is Kind.APPROVAL for step in plan.forward)
    if not gates:
        return ChecklistDraft(AUTHORIZATION, "this plan needs no approval")
    asks = "1 approval gate asks" if gates == 1 else f"{gates} approval gates ask"
    return ChecklistDraft(AUTHORIZATION, f"{asks} for it, and nothing behind a gate runs without")


def _backup(user: User, environment: str, asked: Backup | None) -> ChecklistDraft:
    if asked is None:
        return ChecklistDraft(BACKUP)
    made = queries.visible_to(user).filter(
        runbook=asked.runbook, environment=environment, state=ExecutionState.SUCCEEDED
    )
    if asked.procedures:
        made = made.filter(procedure__in=asked.procedures)
    recent = ExpressionWrapper(Q(finished_at__gte=Now() - asked.within), BooleanField())
    said = made.select_related(None).only("runbook_id", "procedure", "number", "finished_at")
    newest: list[Any] = list(said.annotate(recent=recent).order_by("-id")[:OVERLAPPING])
    last = max(newest, key=lambda one: one.finished_at, default=None)
    if last and last.recent:
        return ChecklistDraft(BACKUP, _said(last))
    wanted = " or ".join(asked.procedures) or "a backup"
    doubt = f"{wanted} of {asked.runbook} did not succeed in {environment} within {_time(asked)}"
    return ChecklistDraft(BACKUP, doubt=doubt + (f"; the last: {_said(last)}" if last else ""))


def _said(made: Execution) -> str:
    return f"{made.runbook_id} {made.procedure} {made} succeeded at {_moment(made.finished_at)}"


def _time(asked: Backup) -> str:
    return f"{asked.within.total_seconds() / 3600:g} h"


def _tools(plan: Plan, metadata: Mapping[str, object]) -> ChecklistDraft:
    """Verified if every host was tested lately, and has what the runbook declares or what its steps call there.

    The latter is what a dry run looks for.
    """
    hosts = {host.id: name for name, host in plan.hosts.items()}
    wanted = {tool for tool in declared(metadata) if COMMAND.fullmatch(tool)}
    newest = [c for c in tested(plan.environment) if c.host_id in hosts] if hosts else []
    fine = [c for c in newest if c.look.tone == "ok"]
    good = [c for c in fine if wanted <= set(c.tools)]
    if len(good) < len(fine):  # to read the scripts takes longer
        called = needed(plan)
        good = [c for c in fine if wanted <= set(c.tools) or _all_called(called, c)]
    if not hosts or len(good) < len(hosts):
        return ChecklistDraft(TOOLS)
    names = ", ".join(sorted(hosts.values())) if len(hosts) <= NAMED else f"{len(hosts)} hosts"
    oldest = min(check.done_at for check in good if check.done_at)
    return ChecklistDraft(TOOLS, f"found on {names} by the test at {_moment(oldest)}")


def _all_called(called: Mapping[int, Collection[str]], check: HostCheck) -> bool:
    """Whether it looked for everything that the steps call on its host."""
    names = called.get(check.host_id)
    return names is not None and {n for n in names if COMMAND.fullmatch(n)} <= set(check.tools)


@Fixed
def tested(environment: str) -> QuerySet[HostCheck]:
    """The newest test of each of its hosts that was done lately."""
    found = HostCheck.objects.filter(host__environment=environment, done_at__gte=Now() - RECENT)
    return found.order_by("host_id", "-done_at").distinct("host_id")


def _rollback(plan: Plan) -> ChecklistDraft:
    destructive = [step for step in plan.forward if step.attributes.destructive]
    for_good = sum(not step.attributes.undone_by for step in destructive)
    if for_good:
        steps = "1 step has" if for_good == 1 else f"{for_good} steps have"
        return ChecklistDraft(ROLLBACK, doubt=f"{steps} no rollback step: nothing undoes them")
    if not destructive:
        return ChecklistDraft(ROLLBACK, "no step of this plan is marked as destructive")
    count = len(plan.backward)
    return ChecklistDraft(
        ROLLBACK, f"{count} rollback step{'s' if count != 1 else ''} in this plan"
    )


def _moment(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if moment else ""
