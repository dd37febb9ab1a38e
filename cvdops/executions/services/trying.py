"""The dry run: everything is resolved, the hosts are asked for what the steps need, nothing is started."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from cvdops.access.policy import Action
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.environments.models import Host
from cvdops.executions import commands, launch, probes
from cvdops.executions.launch import Preview
from cvdops.executions.models import HostCheck
from cvdops.lib.errors import Invalid


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a start would do, and the tests of the hosts that it would run on."""

    preview: Preview
    checks: tuple[HostCheck, ...]


def dry_run(
    user: User,
    *,
    runbook: str,
    environment: str,
    procedure: str | None = None,
    version: int | None = None,
    variables: Mapping[str, str] | None = None,
) -> DryRun:
    """Resolve a start and have its hosts tested for the commands of its steps. Changes nothing there.

    Raises NotFound, Refused, Invalid (every problem named).
    """
    resolved = launch.resolve(user, runbook, environment, procedure, variables or {}, version)
    if not resolved.untimely:
        resolved.decision.enforce()
    if resolved.problems:
        raise Invalid(resolved.problems)
    wanted = commands.needed(resolved.draft)
    with transaction.atomic():
        hosts = Host.objects.select_related("environment").filter(pk__in=wanted).order_by("name")
        checks = tuple(probes.request(user, host, list(wanted[host.pk])) for host in hosts)
        data = {
            "verb": "dry_run",
            "procedure": resolved.procedure,
            "environment": resolved.environment.slug,
            "version": resolved.version.number,
        }
        record(user, Action.TEST_HOST, "runbook", resolved.runbook.pk, data=data)
    return DryRun(resolved, checks)
