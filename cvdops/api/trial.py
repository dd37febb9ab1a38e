"""A start that is only tried: everything is resolved, the hosts are asked for what the steps need."""

from ninja import Schema

from cvdops.api.hosts import Test
from cvdops.api.permissions import ReasonShape
from cvdops.executions.services.trying import DryRun
from cvdops.spec.document import Step


class PlannedStep(Schema):
    """`hosts`: on which it would run, none where none is concerned."""

    id: str
    title: str
    section: str
    kind: str
    hosts: list[str]


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

        def planned(step: Step) -> PlannedStep:
            where = preview.targets.where(step)
            return PlannedStep(
                id=step.id,
                title=step.title,
                section=step.section,
                kind=step.kind,
                hosts=where.split(", ") if where else [],
            )

        return cls(
            dry_run=True,
            runbook=preview.runbook.pk,
            version=preview.version.label or str(preview.version.number),
            procedure=preview.procedure,
            environment=preview.environment.slug,
            variables={n: value for n, value in preview.values.items() if n not in hidden},
            supervised=preview.supervision,
            not_now=[ReasonShape.of(reason) for reason in preview.decision.reasons],
            steps=[planned(step) for step in preview.draft.forward],
            rollback=[planned(step) for step in preview.draft.backward],
            checks=[
                HostTest(host=check.host.name, **Test.of(check).model_dump())
                for check in made.checks
            ],
        )
