"""Creating an execution: its row and steps, its first event, its audit entry, the call for a worker."""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.conf import settings

from cvdops.access.policy import Action
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.catalog.models import RunbookVersion
from cvdops.environments import vault
from cvdops.executions import participants, rollback
from cvdops.executions.hints import announce, wake
from cvdops.executions.models import Execution, StepRun
from cvdops.executions.plan import Plan, digest, to_json
from cvdops.executions.states import ExecutionState
from cvdops.executions.transitions import Hand
from cvdops.lib.errors import Conflict
from cvdops.lib.sealing import SealBroken, seal


def create(
    user: User,
    version: RunbookVersion,
    plan: Plan,
    values: Mapping[str, str],
    hidden: Collection[str],
    reason: str,
    data: Mapping[str, object],
    *,
    idempotency_key: str | None = None,
    parent: StepRun | None = None,
    opens_at: datetime | None = None,
    waits_for: Mapping[str, object] | None = None,
) -> Execution:
    """Inside a transaction. `hidden` are the names of the secret values; `data` goes into the log.

    With `opens_at` it begins when that window opens; its approvals are asked at once. With `waits_for`
    (a code and a text) no worker looks at it until somebody has made it ready. Raises Conflict when a
    secret of the plan was changed since.
    """
    opened = _opened(plan)
    values, hidden = {**values, **opened}, {*hidden, *opened}
    stored = to_json(plan)
    execution = Execution(
        runbook=version.runbook,
        version=version,
        procedure=plan.procedure,
        environment_id=plan.environment,
        requested_by=user,
        reason=reason,
        variables={k: v for k, v in values.items() if k not in hidden},
        sealed=seal({k: v for k, v in values.items() if k in hidden}, settings.SECRET_KEY),
        plan=stored,
        plan_digest=digest(stored),
        idempotency_key=idempotency_key,
        opens_at=opens_at,
        parent=parent,
        parent_attempt=parent.attempt_count if parent else None,
        state=ExecutionState.PENDING if waits_for else ExecutionState.QUEUED,
        waiting_for=waits_for or {},
    )
    execution.save(force_insert=True)
    StepRun.objects.bulk_create(rollback.step_runs(execution, plan))
    participants.begin(execution.pk, user, parent)
    announce(execution.pk, Hand(execution.pk, actor=user).change("execution.start", data))
    entry = {"runbook": execution.runbook_id, "plan_digest": execution.plan_digest, **data}
    record(user, Action.START, "execution", execution.pk, data=entry)
    if opened:
        read = {"secrets": dict(plan.secrets), "execution": str(execution.pk)}
        record(user, "secrets.read", "environment", plan.environment, data=read)
    if not waits_for:
        wake(execution.pk, execution.environment.queue)
    execution.refresh_from_db(fields=["number", "state", "created_at", "seq"])
    return execution


def _opened(plan: Plan) -> dict[str, str]:
    try:
        return vault.opened(plan.environment, plan.secrets)
    except (vault.Replaced, SealBroken) as error:
        raise Conflict(str(error)) from None
