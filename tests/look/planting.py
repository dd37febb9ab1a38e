"""Hostile texts in every field of every table that holds words of people, hosts or programs."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle, islice

from django.apps import apps
from django.db import IntegrityError, models, transaction

from cvdops.catalog.sync import sync
from cvdops.executions.models import Execution
from tests.look.vectors import ALL
from tests.web.test_markdown_attacks import DOCUMENT
from tests.web.world import World

# What the portal itself writes, reads back and takes for something: names in addresses, keys, digests.
ITS_OWN = {
    *("accounts.user.password", "accounts.session.session_data", "environments.period.rule"),
    *("environments.hold.runbook", "environments.hostkey.kind", "environments.hostkey.key"),
    *("environments.hostkey.fingerprint", "environments.host.name", "catalog.runbook.path"),
    *("environments.environmentvariable.name", "environments.environmentsecret.name"),
    *("catalog.runbookversion.source", "catalog.runbookversion.content_hash"),
    *("catalog.runbookversion.commit", "catalog.catalogsource.head"),
    *("approvals.approvalrequest.gate", "approvals.approvalrequest.category"),
    *("approvals.approvalrequest.environment", "approvals.approvalrequest.plan_digest"),
    *("approvals.approvalrequest.present_digest", "approvals.decision.plan_digest"),
    *("notifications.notice.subject", "notifications.notice.key", "notifications.notice.path"),
    *("changes.change.kind", "changes.change.key", "executions.execution.plan_digest"),
    *(
        "executions.execution.procedure",
        "executions.execution.phase",
        "executions.execution.intent",
    ),
    *("executions.execution.lease_owner", "executions.execution.idempotency_key"),
    *("executions.steprun.phase", "executions.steprun.key", "executions.steprun.section"),
    *("executions.steprun.kind", "executions.steprun.sample", "executions.event.kind"),
    *("executions.stepattempt.spool", "executions.stepattempt.boot_id"),
    *("executions.stepattempt.output_digest", "executions.savedfilter.query"),
    *("notifications.message.key", "notifications.message.channel"),
}
APPEND_ONLY = {"audit.AuditEntry", "audit.Seal", "executions.OutputWords", "api.KeptAnswer"}


def plant(world: World, shift: int = 0) -> int:
    """Write them; returns into how many fields. `shift` chooses which text comes into which field."""
    texts = cycle(islice(cycle(ALL), shift, shift + len(ALL)))
    (world.folder / "deployment.md").write_text(DOCUMENT)
    sync(world.folder)
    planted = 0
    for model, name, length in _fields():
        for row in model._default_manager.order_by("pk").values_list("pk", flat=True):
            # Some are empty by a rule until something else stands beside them.
            with suppress(IntegrityError), transaction.atomic():
                model._default_manager.filter(pk=row).update(**{name: next(texts)[:length]})
                planted += 1
    for execution in Execution.objects.all():
        waiting = {**execution.waiting_for, "message": next(texts)} if execution.waiting_for else {}
        Execution.objects.filter(pk=execution.pk).update(waiting_for=waiting)
    return planted


def _fields() -> Iterator[tuple[type[models.Model], str, int | None]]:
    for model in apps.get_models():
        if not model.__module__.startswith("cvdops") or model._meta.label in APPEND_ONLY:
            continue
        for field in model._meta.concrete_fields:
            wordy = isinstance(field, models.CharField | models.TextField)
            named = f"{model._meta.label_lower}.{field.name}"
            chosen = field.primary_key or field.unique or field.choices or named in ITS_OWN
            if wordy and not chosen:
                yield model, field.name, field.max_length
