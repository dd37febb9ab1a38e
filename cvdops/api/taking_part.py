"""What people do around an execution: take part, write notes, close it, review its emergency."""

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.api.approvals import Approval, shapes
from cvdops.api.asking import Asked, Text
from cvdops.api.execution import ExecutionDetail, detail
from cvdops.approvals.queries import get_request
from cvdops.executions import emergencies, participants, services
from cvdops.executions.models import Event, Participant
from cvdops.executions.queries import get_outline

router = Router(tags=["executions"])
_ONE = "/executions/{execution_id}"

Words = Annotated[Text, Field(max_length=2000)]


class ParticipantShape(Schema):
    user: str
    part: str
    joined_at: datetime

    @classmethod
    def of(cls, one: Participant) -> "ParticipantShape":
        return cls(user=one.user.username, part=one.part, joined_at=one.joined_at)


class Participants(Schema):
    items: list[ParticipantShape]


class NoteShape(Schema):
    """`position`: that of the execution when it was written."""

    position: int
    user: str | None
    at: datetime
    text: str

    @classmethod
    def of(cls, event: Event) -> "NoteShape":
        user = event.actor.username if event.actor else None
        return cls(position=event.seq, user=user, at=event.at, text=str(event.data.get("text", "")))


class Notes(Schema):
    items: list[NoteShape]


class Note(Asked):
    text: Annotated[Text, Field(min_length=1, max_length=4000)]


class Joining(Asked):
    """As what: nobody joins as operator, whom a Lead names by handing over."""

    part: Participant.Part


class HandOver(Asked):
    username: Annotated[Text, Field(max_length=80)]
    comment: Words = ""


class Comment(Asked):
    comment: Words = ""


_NOTHING = Comment()  # so there need be no body


class Lessons(Asked):
    """What was learned."""

    review: Annotated[Text, Field(min_length=1, max_length=4000)]


@router.get(f"{_ONE}/participants", response=Participants, url_name="api-participants")
@requires(Action.READ_EXECUTION)
def who(request: HttpRequest, execution_id: str) -> Participants:
    """Who takes part now."""
    found = get_outline(person(request), execution_id)
    return Participants(items=[ParticipantShape.of(one) for one in participants.here(found.pk)])


@router.get(f"{_ONE}/notes", response=Notes, url_name="api-note")
@requires(Action.READ_EXECUTION)
def notes(request: HttpRequest, execution_id: str) -> Notes:
    """What people have written into its timeline: the newest 200, newest first."""
    found = get_outline(person(request), execution_id).events.filter(kind="note")
    newest = found.select_related("actor").order_by("-seq")[:200]
    return Notes(items=[NoteShape.of(event) for event in newest])


@router.post(f"{_ONE}/notes", response={201: ExecutionDetail}, url_name="api-note")
@requires(Action.NOTE, "POST")
def note(request: HttpRequest, execution_id: str, said: Note) -> Status[ExecutionDetail]:
    """Add a note to its timeline."""
    user = person(request)
    services.note(user, execution_id, said.text)
    return Status(201, detail(user, execution_id))


@router.post(f"{_ONE}/join", response=ExecutionDetail, url_name="api-join")
@requires(Action.JOIN, "POST")
def join(request: HttpRequest, execution_id: str, said: Joining) -> ExecutionDetail:
    """Take part in it."""
    user = person(request)
    services.join(user, execution_id, said.part)
    return detail(user, execution_id)


@router.post(f"{_ONE}/leave", response=ExecutionDetail, url_name="api-leave")
@requires(Action.JOIN, "POST")
def leave(request: HttpRequest, execution_id: str) -> ExecutionDetail:
    """Take part in it no more."""
    user = person(request)
    services.leave(user, execution_id)
    return detail(user, execution_id)


@router.post(f"{_ONE}/hand-over", response=ExecutionDetail, url_name="api-hand-over")
@requires(Action.HAND_OVER, "POST")
def hand_over(request: HttpRequest, execution_id: str, said: HandOver) -> ExecutionDetail:
    """Let somebody else run it from now on."""
    user = person(request)
    services.hand_over(user, execution_id, said.username, said.comment)
    return detail(user, execution_id)


@router.post(f"{_ONE}/after/{{int:position}}", response=ExecutionDetail, url_name="api-close-item")
@requires(Action.CLOSE, "POST")
def close_item(
    request: HttpRequest, execution_id: str, position: int, said: Comment = _NOTHING
) -> ExecutionDetail:
    """Confirm an item of the list after its end, by its place from 0; the last one closes it."""
    user = person(request)
    services.close_item(user, execution_id, position, said.comment)
    return detail(user, execution_id)


@router.post(f"{_ONE}/emergency/review", response=ExecutionDetail, url_name="api-emergency")
@requires(Action.CLOSE, "POST")
def review(request: HttpRequest, execution_id: str, said: Lessons) -> ExecutionDetail:
    """Write the review of an emergency, which is not for who declared it."""
    user = person(request)
    emergencies.review(user, execution_id, said.review)
    return detail(user, execution_id)


@router.post("/approvals/{request_id}/renew", response=Approval, url_name="api-approval-renew")
@requires(Action.DECIDE, "POST")
def renew(request: HttpRequest, request_id: str) -> Approval:
    """Ask anew where what would run has changed since it was asked for."""
    user = person(request)
    made = services.renew(user, request_id)
    return shapes([get_request(user, made.pk)])[0]
