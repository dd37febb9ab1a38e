"""What the team does again and again: how it stands, and saying that it was done."""

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.api.asking import Asked, Text
from cvdops.executions import routines as book
from cvdops.executions.models import RoutineDone
from cvdops.executions.routines import MAX_NOTE, Standing

router = Router(tags=["routines"])


class DoneShape(Schema):
    """Without `by`: from there its next time is counted."""

    at: datetime
    by: str
    note: str

    @classmethod
    def of(cls, done: RoutineDone) -> "DoneShape":
        return cls(at=done.at, by=done.by.username if done.by else "", note=done.note)


class RoutineShape(Schema):
    """`last`: what somebody said last. `proved_at`: for a test, when an execution last did it."""

    key: str
    title: str
    often: str
    days: int
    due: datetime
    overdue: bool
    is_test: bool
    last: DoneShape | None
    proved_at: datetime | None

    @classmethod
    def of(cls, one: Standing) -> "RoutineShape":
        return cls(
            key=one.routine.key,
            title=one.routine.title,
            often=one.routine.often,
            days=one.routine.every.days,
            due=one.due,
            overdue=one.overdue,
            is_test=one.routine.proof is not None,
            last=DoneShape.of(one.last) if one.last else None,
            proved_at=one.proved.finished_at if one.proved else None,
        )


class Routines(Schema):
    items: list[RoutineShape]
    next_cursor: str


class History(Schema):
    """The newest 50 of it, the newest first."""

    items: list[DoneShape]
    next_cursor: str


class DoneAsked(Asked):
    note: Annotated[Text, Field(max_length=MAX_NOTE)]


@router.get("/routines", response=Routines, url_name="api-routines")
@requires(Action.USE_PORTAL)
def routines(request: HttpRequest) -> Routines:
    """Reviews, exercises and tests: when each is due, and what was said of it last."""
    return Routines(items=[RoutineShape.of(one) for one in book.standings()], next_cursor="")


@router.get("/routines/{key}", response=History, url_name="api-routine")
@requires(Action.USE_PORTAL)
def history(request: HttpRequest, key: str) -> History:
    """What was said of one of them."""
    return History(items=[DoneShape.of(one) for one in book.history(key)], next_cursor="")


@router.post("/routines/{key}/confirm", response={201: DoneShape}, url_name="api-routine-confirm")
@requires(Action.CONFIRM_ROUTINE, "POST")
def confirm(request: HttpRequest, key: str, asked: DoneAsked) -> Status[DoneShape]:
    """Say that it was done, with what came of it. A test is proved by an execution instead."""
    return Status(201, DoneShape.of(book.confirm(person(request), key, asked.note)))
