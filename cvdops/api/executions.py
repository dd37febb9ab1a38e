"""Executions: as they stand, and starting one."""

from contextlib import nullcontext
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import BaseModel, Field, StringConstraints

from cvdops.access import limits
from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.api import sharp
from cvdops.api.asking import Asked, Flag, Listed, Moment, Number, Text, identity, told
from cvdops.api.execution import ExecutionDetail, ExecutionItem, detail, items
from cvdops.api.history import Filters
from cvdops.api.trial import Trial
from cvdops.executions import history, services
from cvdops.executions.emergencies import Declaration
from cvdops.executions.priorities import Priority

router = Router(tags=["executions"])

Name = Annotated[Text, StringConstraints(max_length=120)]
Words = Annotated[Text, StringConstraints(max_length=2000)]
# In a body true is a boolean and 3 a number; the runbook says what the variable may be.
Value = Annotated[
    Annotated[Text, StringConstraints(max_length=65_536)] | Number | Flag,
    told("Give a text of 65,536 characters at most, a whole number, or true or false."),
]
Ticks = Annotated[
    Literal["confirmed"] | Annotated[list[Number], Field(max_length=100)],
    told("Say “confirmed”, or list the places of the items that you confirm."),
]


class Executions(BaseModel):
    items: list[ExecutionItem]
    next_cursor: str


class Wanted(Filters, Listed):
    """The filters of the history."""


class Emergency(Asked):
    """A Lead declares one, outside the windows. `notified_at`: when those concerned were told."""

    priority: Priority
    reason: Words
    notified_at: Moment | None = None
    short_notice: Words = ""


class Start(Asked):
    """What to start. `checklist`: `confirmed` for every item, or the places of those that you confirm.

    `confirm_environment`: the name of a protected environment once more. `in_window`: where nothing may
    be changed now, it begins when the next window opens. `version`: the number of an earlier one.
    """

    runbook: Name
    environment: Name
    procedure: Name | None = None
    version: Number | None = Field(None, ge=1, lt=1 << 31)
    variables: dict[Name, Value] = Field({}, max_length=200)
    reason: Words
    confirm_environment: Name = ""
    checklist: Ticks = Field([])
    in_window: Flag = False
    emergency: Emergency | None = None
    dry_run: Flag = False


@router.get("/executions", response=Executions, url_name="api-executions")
@requires(Action.USE_PORTAL)
def executions(request: HttpRequest, wanted: Query[Wanted]) -> Executions:
    """The executions that you may see, newest first."""
    filters = wanted.wanted()
    before = str(identity(wanted.cursor)) if wanted.cursor else ""
    user = person(request)
    with limits.asking(user) if wanted.output else nullcontext():
        page = history.page(user, filters, before)
    return Executions(items=items(page.items), next_cursor=page.next_cursor)


@router.post("/executions", response={201: ExecutionDetail, 200: Trial}, url_name="api-executions")
@requires(Action.START, "POST")
def start(request: HttpRequest, said: Start) -> Status[ExecutionDetail] | Status[Trial]:
    """Ask for an execution. It meets the same checks, approvals and windows as one from the page.

    With `dry_run` nothing starts (200): everything is resolved, and the hosts are asked for what is needed.
    """
    user = person(request)
    what: dict[str, Any] = {
        "runbook": said.runbook,
        "environment": said.environment,
        "procedure": said.procedure or None,
        "version": said.version,
        "variables": _texts(said.variables),
    }
    if said.dry_run:
        return Status(200, Trial.of(services.dry_run(user, **what)))
    if said.emergency:
        sharp.check(request)
    made = services.start(
        user,
        **what,
        reason=said.reason,
        confirm_environment=said.confirm_environment,
        checklist=said.checklist,
        in_window=said.in_window,
        emergency=_declaration(said.emergency),
    )
    return Status(201, detail(user, made.pk))


@router.get("/executions/{execution_id}", response=ExecutionDetail, url_name="api-execution")
@requires(Action.READ_EXECUTION)
def execution(request: HttpRequest, execution_id: str) -> ExecutionDetail:
    """One of them, with its steps."""
    return detail(person(request), execution_id)


def _texts(variables: dict[str, str | int | bool]) -> dict[str, str]:
    """As they would be typed: `true`, `3`."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in variables.items()
    }


def _declaration(said: Emergency | None) -> Declaration | None:
    return Declaration(**said.dict()) if said else None
