"""A start that is only tried: everything is resolved, the hosts are asked for what the steps need."""

from typing import Any

from ninja import Schema

from cvdops.api.hosts import Test
from cvdops.api.permissions import ReasonShape
from cvdops.executions.plan import PEOPLE
from cvdops.executions.resolved import Resolved, resolved
from cvdops.executions.services.trying import DryRun
from cvdops.spec.document import Step


class PlannedStep(Schema):
    """`hosts`: on which it would run, none where none is concerned. `body`: what would run there, or be
    asked for; empty for a step that people do. `values`: those that it names, as they are known before the
    start; of a secret only that there is one. `rollback`: the step that undoes it. `text`: what people are
    asked to do or to decide there; `checklist`: their items.
    """

    id: str
    title: str
    section: str
    kind: str
    hosts: list[str]
    body: str
    values: dict[str, str]
    rollback: str | None
    destructive: bool
    checkpoint: bool
    text: str
    checklist: list[str]

    @classmethod
    def of(cls, found: Resolved) -> "PlannedStep":
        return cls(
            id=found.step.id,
            title=found.step.title,
            section=found.step.section,
            kind=found.step.kind,
            hosts=found.host.split(", ") if found.host else [],
            body=found.body,
            values=found.named,
            rollback=found.undo.step.id if found.undo else None,
            **besides(found.step),
        )


def besides(step: Step) -> dict[str, Any]:
    """What is said of a step besides what runs."""
    said = step.gate.message if step.gate else step.body if step.kind in PEOPLE else ""
    return {
        "destructive": step.attributes.destructive,
        "checkpoint": step.attributes.checkpoint,
        "text": "" if step.checklist else said,
        "checklist": [item.text for item in step.checklist],
    }


class HostTest(Test):
    """A worker does it; read its results at `GET environments/ENVIRONMENT/hosts/HOST`."""

    host: str


class Trial(Schema):
    """What a start would do. `not_now`: why it would be refused at this moment, and only at this one.

    `supervised`: it would begin when somebody certified has joined as supervisor.
    """

    dry_run: bool
    runbook: str
    version: str
    procedure: str
    environment: str
    variables: dict[str, str]
    supervised: bool
    not_now: list[ReasonShape]
    steps: list[PlannedStep]
    rollback: list[PlannedStep]
    checks: list[HostTest]

    @classmethod
    def of(cls, made: DryRun) -> "Trial":
        preview = made.preview
        hidden = {variable.name for variable in preview.document.variables if variable.secret}
        return cls(
            dry_run=True,
            runbook=preview.runbook.pk,
            version=preview.version.label or str(preview.version.number),
            procedure=preview.procedure,
            environment=preview.environment.slug,
            variables={n: value for n, value in preview.values.items() if n not in hidden},
            supervised=preview.supervision,
            not_now=[ReasonShape.of(reason) for reason in preview.decision.reasons],
            steps=[PlannedStep.of(one) for one in resolved(preview, preview.draft.forward)],
            rollback=[PlannedStep.of(one) for one in resolved(preview, preview.draft.backward)],
            checks=[
                HostTest(host=check.host.name, **Test.of(check).model_dump())
                for check in made.checks
            ],
        )
