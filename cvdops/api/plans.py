"""What runs, before somebody decides on it: the plan of an execution, and a version of a runbook."""

from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema

from cvdops.access.catalog import get_runbook
from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.api.catalog import VersionItem, version_item
from cvdops.api.runbooks import RunbookStep
from cvdops.api.trial import PlannedStep, besides
from cvdops.catalog.models import VersionReview
from cvdops.catalog.queries import document, why_unread
from cvdops.executions.plan import PEOPLE
from cvdops.executions.queries import get_outline, plan_of
from cvdops.executions.resolved import planned
from cvdops.lib.errors import NotFound
from cvdops.spec.document import Step

router = Router()


class ExecutionPlan(Schema):
    """Everything that was resolved at the start. Of a secret value only that there is one.

    `plan_digest` names it: that of a request for approval says which plan is decided on.
    """

    execution: UUID
    plan_digest: str
    variables: dict[str, str]
    steps: list[PlannedStep]
    rollback: list[PlannedStep]


class VersionStep(RunbookStep):
    """A step as the document has it. `body`: what runs; `text`: what people are asked to do or to decide."""

    line: int
    body: str
    destructive: bool
    checkpoint: bool
    text: str
    checklist: list[str]

    @classmethod
    def of(cls, step: Step) -> "VersionStep":
        return cls(
            id=step.id,
            title=step.title,
            kind=step.kind,
            section=step.section,
            line=step.line,
            body="" if step.kind in PEOPLE else step.body,
            **besides(step),
        )


class VersionDetail(VersionItem):
    """`text` is the document, as Markdown; empty where reading it took too much, as `unread` says then."""

    text: str
    unread: str
    steps: list[VersionStep]


@router.get(
    "/executions/{execution_id}/plan",
    response=ExecutionPlan,
    url_name="api-execution-plan",
    tags=["executions"],
)
@requires(Action.READ_EXECUTION)
def plan(request: HttpRequest, execution_id: str) -> ExecutionPlan:
    """Every command of it with its values and hosts, as who approves it sees them."""
    found = get_outline(person(request), execution_id)
    pinned = plan_of(found.pk)
    return ExecutionPlan(
        execution=found.pk,
        plan_digest=found.plan_digest,
        variables=found.variables,
        steps=[PlannedStep.of(one) for one in planned(found, pinned, pinned.steps)],
        rollback=[PlannedStep.of(one) for one in planned(found, pinned, pinned.rollback)],
    )


@router.get(
    "/runbooks/{runbook_id}/versions/{int:number}",
    response=VersionDetail,
    url_name="api-version",
    tags=["runbooks"],
)
@requires(Action.READ_RUNBOOK)
def version(request: HttpRequest, runbook_id: str, number: int) -> VersionDetail:
    """A version with its text, and the command of each step."""
    runbook = get_runbook(person(request), runbook_id)
    found = runbook.versions.filter(number=number).first()
    if found is None:
        raise NotFound("version")
    reviews = VersionReview.objects.filter(version=found).select_related("reviewer")
    unread = why_unread(found)
    return VersionDetail(
        **version_item(found, reviews).model_dump(),
        text="" if unread else found.source,
        unread=unread,
        steps=[VersionStep.of(step) for step in document(found).steps],
    )
