"""Who may do what, and why not."""

from typing import Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from cvdops.access.levels import Level
from cvdops.access.marks import person, requires
from cvdops.access.models import MatrixCell, Role
from cvdops.access.policy import Action
from cvdops.access.words import WORDS
from cvdops.api.asking import Asked, Flag, Moment, Text
from cvdops.api.changes import ChangeShape, Reason, submitted
from cvdops.api.sharp import sharp
from cvdops.changes import matrix as cells
from cvdops.changes import roles, services
from cvdops.changes.kind import Value
from cvdops.executions.whatif import question
from cvdops.lib import errors
from cvdops.lib.errors import Invalid, Problem
from cvdops.lib.moments import rfc3339
from cvdops.spec.document import Category

router = Router(tags=["permissions"])

LevelName = Literal["none", "review", "assist", "execute", "lead_security", "lead"]


class MatrixRow(Schema):
    """A role and its level for each category."""

    role: str
    name: str
    leads: bool
    reads_audit: bool
    administers: bool
    levels: dict[str, str]


class Matrix(Schema):
    categories: list[str]
    roles: list[MatrixRow]


class ReasonShape(Schema):
    """One reason for a refusal: a stable code, the sentence, and the shortest way to get further."""

    code: str
    text: str
    remedy: str

    @classmethod
    def of(cls, reason: errors.Reason) -> "ReasonShape":
        return cls(code=reason.code, text=reason.text, remedy=reason.remedy)


class Cell(Asked):
    """A level for a cell of the matrix. `was`: the level that you read; checked if said."""

    role: Text
    category: Category
    level: LevelName
    was: LevelName | None = None
    reason: Reason


class Rights(Asked):
    """What a role gives besides the matrix: all three, as they are to be."""

    role: Text
    leads: Flag
    administers: Flag
    reads_audit: Flag
    reason: Reason


class Check(Asked):
    """May `user` (who asks, if none is named) do this at `at` (now, if none is given)?

    `approval`: the id of the request, for `approval.decide`.
    """

    action: Text = Field(
        description=f"One of {', '.join(WORDS)}.", json_schema_extra={"enum": [*WORDS]}
    )
    runbook: Text = ""
    environment: Text = ""
    approval: Text = ""
    user: Text = ""
    at: Moment | None = None


class Answer(Schema):
    """`supervised`: it may be started, and begins when somebody certified has joined as supervisor."""

    allowed: bool
    supervised: bool
    reasons: list[ReasonShape]


@router.get("/permissions/matrix", response=Matrix, url_name="api-matrix")
@requires(Action.READ_PERMISSIONS)
def matrix(request: HttpRequest) -> Matrix:
    """The permissions matrix."""
    levels = {(cell.role_id, cell.category): Level(cell.level) for cell in MatrixCell.objects.all()}
    rows = [
        MatrixRow(
            role=role.pk,
            name=role.name,
            leads=role.leads,
            reads_audit=role.reads_audit,
            administers=role.administers,
            levels={c: levels.get((role.pk, c), Level.NONE).name.lower() for c in Category},
        )
        for role in Role.objects.all()
    ]
    return Matrix(categories=list(Category), roles=rows)


@router.post("/permissions/matrix", response={201: ChangeShape}, url_name="api-matrix")
@requires(Action.EDIT_PERMISSIONS, "POST")
@sharp
def edit_matrix(request: HttpRequest, asked: Cell) -> Status[ChangeShape]:
    """Propose a level of the matrix."""
    was = services.mark(_level(asked.was)) if asked.was else None
    key = cells.key(asked.role, asked.category)
    return submitted(request, "matrix", key, _level(asked.level), asked.reason, was)


@router.post("/permissions/roles", response={201: ChangeShape}, url_name="api-roles")
@requires(Action.EDIT_PERMISSIONS, "POST")
@sharp
def edit_role(request: HttpRequest, asked: Rights) -> Status[ChangeShape]:
    """Propose what a role gives besides the matrix."""
    after = roles.value(
        leads=asked.leads, administers=asked.administers, reads_audit=asked.reads_audit
    )
    return submitted(request, "role", asked.role, after, asked.reason, None)


@router.get("/permissions/check", response=Answer, url_name="api-check")
@requires(Action.READ_PERMISSIONS)
def check(request: HttpRequest, wanted: Query[Check]) -> Answer:
    """Whether somebody may do something, with every reason if not."""
    asks = person(request)
    asked = question(
        asks,
        {
            "person": wanted.user or asks.username,
            "action": wanted.action,
            "runbook": wanted.runbook,
            "environment": wanted.environment,
            "approval": wanted.approval,
            "at": rfc3339(wanted.at) if wanted.at else "",
        },
    )
    if not wanted.action:
        raise Invalid([Problem("action", "Name the action.")])
    answers = asked.answers if asked else []
    if not answers and wanted.action == Action.DECIDE:
        raise Invalid([Problem("approval", "This is about a request for approval. Give its id.")])
    if not answers:
        raise Invalid([Problem("runbook", "This is about a runbook. Name it.")])
    answer = answers[0]
    return Answer(
        allowed=answer.decision.allowed or answer.supervised,
        supervised=answer.supervised,
        reasons=[ReasonShape.of(reason) for reason in answer.decision.reasons],
    )


def _level(name: str) -> Value:
    return cells.value(cells.NAMES[name])
