"""A dry run as the command line shows it: the plan with everything resolved, and what its hosts say."""

from collections.abc import Iterator, Sequence

from cvdops.executions.launch import Preview
from cvdops.executions.models import HostCheck
from cvdops.executions.probes import OLD
from cvdops.executions.queues import gap
from cvdops.executions.resolved import resolved
from cvdops.executions.standstill import sentence
from cvdops.lib.visible import visible
from cvdops.web import approvers
from cvdops.web.probes import shown


def as_json(preview: Preview, checks: Sequence[HostCheck]) -> dict[str, object]:
    """The same for programs."""
    return {
        "dry_run": True,
        "runbook": preview.runbook.pk,
        "procedure": preview.procedure,
        "environment": preview.environment.slug,
        "allowed": preview.decision.allowed,
        "reasons": [reason.text for reason in preview.decision.reasons],
        "steps": [
            {
                "id": row.step.id,
                "title": row.step.title,
                "kind": row.step.kind,
                "host": row.host,
                "body": row.request or row.step.body,
                "values": row.named,
                "rollback": row.undo.step.id if row.undo else None,
            }
            for row in resolved(preview, preview.draft.forward)
        ],
        "hosts": [
            {
                "host": check.host.name,
                "good": check.done_at is not None and shown(check).good,
                "answered": check.done_at is not None,
                "found": {step.name: step.text for step in shown(check).telling},
            }
            for check in checks
        ],
    }


def lines(preview: Preview, checks: Sequence[HostCheck]) -> Iterator[str]:
    """Line by line, for people."""
    yield visible(f"{preview.runbook.title}, {preview.procedure}, in {preview.environment}:")
    for row in resolved(preview, preview.draft.forward):
        where = f" ({row.host})" if row.host else ""
        yield visible(f"{row.number}. {row.step.title}{where}")
        yield from (f"     {visible(one.name)}={visible(one.value)}" for one in row.values)
        body = row.body.rstrip()
        yield from (f"   | {line}" for line in visible(body).split("\n") if body)
        if row.undo:
            yield visible(f"   undone by: {row.undo.step.title}")
    for need in approvers.needed(preview.draft):
        groups = " and ".join(f"{n} of {' or '.join(names)}" for n, names in need.groups)
        yield visible(f"Approval “{need.title}”: {groups}.")
    for reason in preview.decision.reasons:
        yield visible(f"Not now: {reason.text}")
    for check in checks:
        yield from map(visible, _host(check))
    yield "Nothing was started or changed."


def good(checks: Sequence[HostCheck]) -> bool:
    """Whether the hosts have what the steps need."""
    return all(shown(check).good for check in checks)


def missing(check: HostCheck) -> str:
    """Why nobody will have asked the host soon; empty while a worker lives that does or will."""
    if missed := gap(check.host.environment.queue):
        return sentence(missed)
    minutes = OLD.total_seconds() / 60
    return f"No worker has done it within {minutes:g} minutes." if shown(check).given_up else ""


def _host(check: HostCheck) -> Iterator[str]:
    if check.done_at is None:
        yield f"{check.host.name}: not asked. {missing(check)}".rstrip()
        return
    test = shown(check)
    yield f"{check.host.name}: {'ready' if test.good else 'not ready'}"
    yield from (f"   {step.name}: {step.text}" for step in test.telling)
