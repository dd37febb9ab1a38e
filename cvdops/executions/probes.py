"""Tests of hosts: asked for by a person, done by a worker of the environment, watched as they happen.

A row is a test. Its message is a hint: who claims the row does it, workers search for what nobody does,
and one whose claim went to another writes nothing more.
"""

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.catalog.models import Runbook
from cvdops.environments.models import Host
from cvdops.executions import inventory, remote, targets
from cvdops.executions.hints import ask_for_check
from cvdops.executions.leases import HOLDS
from cvdops.executions.models import HostCheck
from cvdops.lib import statements
from cvdops.runners import local_probe
from cvdops.runners.account import PATH
from cvdops.runners.checks import COMMAND, Check, Outcome, Probe
from cvdops.runners.ssh import probe as ssh_probe
from cvdops.spec.tools import declared

LIMIT = timedelta(seconds=90)  # a test that takes longer has lost its worker
OLD = timedelta(minutes=10)  # one that nobody has done by then, nobody will
KEPT = 50  # tests of each host


def ask(user: User, slug: str, name: str) -> HostCheck:
    """Have the host tested, for all commands that runbooks declare. Raises NotFound, Refused."""
    can(user, Action.TEST_HOST).enforce()
    host = inventory.host(slug, name)
    with transaction.atomic():
        found = request(user, host, declared_tools())
        data = {"verb": "test", "host": name, "check": str(found.pk)}
        record(user, Action.TEST_HOST, "environment", slug, data=data)
    return found


def request(user: User, host: Host, tools: Sequence[str]) -> HostCheck:
    """A test of the host for these commands; the one that is under way, if there is one."""
    wanted = sorted({tool for tool in tools if COMMAND.fullmatch(tool)})
    with transaction.atomic():
        # Two presses of the button: the second waits here and finds the test of the first.
        Host.objects.select_for_update(no_key=True).only("pk").get(pk=host.pk)
        open_one = Q(done_at__isnull=True, requested_at__gt=Now() - OLD, tools=wanted)
        if found := host.checks.filter(open_one).first():
            return found
        made = HostCheck.objects.create(host=host, tools=wanted, requested_by=user)
        older = host.checks.order_by("-id").values_list("pk", flat=True)[KEPT:]
        HostCheck.objects.filter(pk__in=list(older)).delete()
        ask_for_check(made.pk, host.environment.queue)
    return made


def declared_tools() -> list[str]:
    """The commands that the runbooks of the catalog declare."""
    current = Runbook.objects.filter(removed_at__isnull=True, current__isnull=False)
    found = current.values_list("current__metadata", flat=True)
    return sorted({tool for metadata in found for tool in declared(metadata or {})})


def telling(check: HostCheck) -> list[dict[str, Any]]:
    """Of its results those that matter for the commands that it was asked for."""
    needed = {"tools", *({"sudo"} & set(check.tools))}
    found = (one for one in check.results if one["text"])
    return [one for one in found if one["name"] in needed or one["state"] == "failed"]


def is_good(check: HostCheck) -> bool:
    """Whether what it was asked for is there; other doubts do not count."""
    return not any(one["state"] in {"warning", "failed"} for one in telling(check))


def due(queues: Sequence[str], limit: int) -> list[UUID]:
    """Those that nobody does, for workers of these queues."""
    with statements.cursor() as cursor:
        # By hand like all that an idle worker asks every second: to put it together costs more than it.
        cursor.execute(
            """
            SELECT executions_hostcheck.id FROM executions_hostcheck
              JOIN environments_host ON environments_host.id = host_id
             WHERE done_at IS NULL AND requested_at > clock_timestamp() - make_interval(secs => %s)
               AND (begun_at < clock_timestamp() - make_interval(secs => %s)
                    OR (begun_at IS NULL
                        AND requested_at < clock_timestamp() - interval '1 second'))
               AND 'env.' || environment_id = ANY(%s)
             ORDER BY executions_hostcheck.id LIMIT %s
            """,
            [OLD.total_seconds(), LIMIT.total_seconds(), list(queues), limit],
        )
        return [check for (check,) in cursor.fetchall()]


def carry_out(check_id: UUID) -> None:
    """Do the test, step by step, unless another worker does it or it is done."""
    try:
        began = _claim(check_id)
        if began is not None:
            _test(HostCheck.objects.select_related("host").get(pk=check_id), began)
    finally:
        connection.close()


def _claim(check_id: UUID) -> datetime | None:
    """When this worker began, which is what its later writes name; None if it is another's to do."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE executions_hostcheck SET begun_at = clock_timestamp(), results = '[]'
             WHERE id = %s AND done_at IS NULL
               AND (begun_at IS NULL OR begun_at < clock_timestamp() - make_interval(secs => %s))
            RETURNING begun_at
            """,
            [check_id, LIMIT.total_seconds()],
        )
        row = cursor.fetchone()
        return row[0] if row else None


def _test(check: HostCheck, began: datetime) -> None:
    mine = HostCheck.objects.filter(pk=check.pk, begun_at=began, done_at__isnull=True)
    try:
        probe = _probe(check)
    except ValueError as error:
        found = _as_json(Check("address", Outcome.FAILED, str(error), 0.0))
        mine.update(results=[found], done_at=Now())
        return
    results = []
    with closing(probe):
        for step in probe:
            results.append(_as_json(step))
            if not mine.update(results=results, keys=_shown(probe)):
                return
            connection.close()  # back to the pool: the next step may take long
            if HOLDS.draining.is_set():
                mine.update(begun_at=None)  # another worker begins at once
                return
    mine.update(done_at=Now())


def titles(host: Host) -> tuple[str, ...]:
    """The steps of a test of this host, in their order."""
    return local_probe.TITLES if host.transport == Host.Transport.LOCAL else ssh_probe.TITLES


def _probe(check: HostCheck) -> Probe:
    """Raises ValueError for an address that SSH cannot have."""
    host = check.host
    variables = host.environment.variables.filter(name="PATH").values_list("value", flat=True)
    path = variables.first() or PATH
    if host.transport == Host.Transport.LOCAL:
        return local_probe.LocalProbe(settings.SPOOL_DIR, check.tools, path)
    return ssh_probe.SshProbe(
        remote.fresh(targets.target_of(host), list(host.keys.all())), check.tools, path
    )


def _as_json(step: Check) -> dict[str, object]:
    return {
        "name": step.step,
        "state": step.outcome.value,
        "text": step.sentence,
        "milliseconds": round(step.seconds * 1000),
    }


def _shown(probe: Probe) -> list[dict[str, str]]:
    return [
        {"kind": key.kind, "key": key.key, "fingerprint": key.fingerprint} for key in probe.keys
    ]
