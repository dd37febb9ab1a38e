"""Changes of what decides about rights: the proposals, deciding on them, and making one of each kind."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.api.asking import (
    Asked,
    Flag,
    Listed,
    Moment,
    Number,
    Text,
    first,
    identity,
    in_its_words,
)
from cvdops.api.sharp import sharp
from cvdops.changes import approver_groups, grants, periods, queries, services
from cvdops.changes.kind import Value
from cvdops.changes.kinds import KINDS, kind
from cvdops.changes.models import Change
from cvdops.environments.models import Period
from cvdops.lib.moments import rfc3339

router = Router(tags=["changes"])

Reason = Annotated[Text, Field(min_length=1, max_length=services.MAX_TEXT)]
Comment = Annotated[Text, Field(max_length=services.MAX_TEXT)]
Seen = Annotated[Text, Field(max_length=20, description="`mark` of what you read; checked if said")]


class ChangeShape(Schema):
    """A change of one thing. `state` is `proposed` while a second person has to confirm it."""

    id: UUID
    kind: str
    key: str
    title: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    difference: list[str]
    reason: str
    needs_second_person: bool
    state: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    comment: str

    @classmethod
    def of(cls, change: Change) -> "ChangeShape":
        what = kind(change.kind)
        return cls(
            id=change.pk,
            kind=change.kind,
            key=change.key,
            title=what.title(change.key),
            before=change.before,
            after=change.after,
            difference=list(what.sentences(change.key, change.before, change.after)),
            reason=change.reason,
            needs_second_person=change.guarded,
            state=change.state,
            proposed_by=change.proposed_by.username,
            proposed_at=change.proposed_at,
            decided_by=change.decided_by.username if change.decided_by else None,
            decided_at=change.decided_at,
            comment=change.comment,
        )


class ChangeDetail(ChangeShape):
    """With who would gain and lose what, while it is still to be decided."""

    consequences: list[str]


class Changes(Schema):
    items: list[ChangeShape]
    next_cursor: str


class Wanted(Listed):
    """`open` are those that wait for a second person. With `kind` and `key`: the history of one thing."""

    open: bool | None = None
    kind: Text = Field("", description=f"One of {', '.join(KINDS)}.")
    key: Text = ""


@router.get("/changes", response=Changes, url_name="api-changes")
@requires(Action.READ_PERMISSIONS)
def changes(request: HttpRequest, wanted: Query[Wanted]) -> Changes:
    """Changes of rights, windows and policies, newest first."""
    found = queries.listed(is_open=wanted.open, kind_name=wanted.kind, key=wanted.key)
    if wanted.cursor:
        found = found.filter(pk__lt=identity(wanted.cursor))
    page, following = first(found)
    return Changes(items=[ChangeShape.of(one) for one in page], next_cursor=following)


@router.get("/changes/{change_id}", response=ChangeDetail, url_name="api-change")
@requires(Action.READ_PERMISSIONS)
def change(request: HttpRequest, change_id: str) -> ChangeDetail:
    """One of them."""
    found = queries.change_named(person(request), change_id)
    said = kind(found.kind).consequences(found.key, found.after) if found.is_open else []
    return ChangeDetail(**ChangeShape.of(found).model_dump(), consequences=list(said))


class Agreement(Asked):
    comment: Comment = ""


class Refusal(Asked):
    comment: Reason


@router.post("/changes/{change_id}/confirm", response=ChangeShape, url_name="api-change-confirm")
@requires(Action.DECIDE_CHANGE, "POST")
@sharp
def confirm(request: HttpRequest, change_id: str, said: Agreement) -> ChangeShape:
    """Make a proposal so, as its second person."""
    return ChangeShape.of(services.confirm(person(request), change_id, said.comment))


@router.post("/changes/{change_id}/refuse", response=ChangeShape, url_name="api-change-refuse")
@requires(Action.DECIDE_CHANGE, "POST")
@sharp
def refuse(request: HttpRequest, change_id: str, said: Refusal) -> ChangeShape:
    """Say no to a proposal, and why."""
    return ChangeShape.of(services.refuse(person(request), change_id, said.comment))


@router.post("/changes/{change_id}/withdraw", response=ChangeShape, url_name="api-change-withdraw")
@requires(Action.DECIDE_CHANGE, "POST")
def withdraw(request: HttpRequest, change_id: str) -> ChangeShape:
    """Take your own proposal back."""
    return ChangeShape.of(services.withdraw(person(request), change_id))


class Role(Asked):
    """A role for somebody, everywhere or in one environment. Without times it is held at once and for good."""

    role: Text
    environment: Text = ""
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    end: Flag = Field(False, description="Take the role away, at once.")
    reason: Reason
    seen: Seen | None = None


class PeriodAsked(Asked):
    """A window or freeze: its first time, its length, and the rule by which it comes again (RFC 5545)."""

    kind: Period.Kind
    name: Annotated[Text, Field(min_length=1, max_length=80)]
    starts_at: Moment
    minutes: Number
    rule: Annotated[Text, Field(max_length=120)] = ""
    reason: Reason
    seen: Seen | None = None


class PeriodEnd(Asked):
    kind: Period.Kind
    name: Annotated[Text, Field(min_length=1, max_length=80)]
    reason: Reason
    seen: Seen | None = None


class ApproverGroup(Asked):
    name: Text
    members: list[Text]
    reason: Reason
    seen: Seen | None = None


Made = {201: ChangeShape}


@router.post("/people/{username}/roles", response=Made, url_name="api-give-role")
@requires(Action.EDIT_PERMISSIONS, "POST")
@sharp
def give_role(request: HttpRequest, username: str, asked: Role) -> Status[ChangeShape]:
    """Give somebody a role, change its times, or end it."""
    key = grants.key(username, asked.role, asked.environment)
    after = None if asked.end else grants.value(asked.starts_at, asked.ends_at)
    return submitted(request, "grant", key, after, asked.reason, asked.seen)


@router.post("/environments/{slug}/periods", response=Made, url_name="api-period-set")
@requires(Action.EDIT_WINDOWS, "POST")
@sharp
def set_period(request: HttpRequest, slug: str, asked: PeriodAsked) -> Status[ChangeShape]:
    """Propose a maintenance window or freeze, or another time for the one of this name."""
    after = {
        "starts_at": rfc3339(asked.starts_at.replace(second=0, microsecond=0)),
        "minutes": asked.minutes,
        "rule": asked.rule,
    }
    key = periods.key(slug, asked.name)
    with in_its_words(repetition="rule", ends_at="minutes"):
        return submitted(request, asked.kind, key, after, asked.reason, asked.seen)


@router.post("/environments/{slug}/periods/remove", response=Made, url_name="api-period-remove")
@requires(Action.EDIT_WINDOWS, "POST")
@sharp
def remove_period(request: HttpRequest, slug: str, asked: PeriodEnd) -> Status[ChangeShape]:
    """Propose to take a maintenance window or freeze away."""
    key = periods.key(slug, asked.name)
    return submitted(request, asked.kind, key, None, asked.reason, asked.seen)


@router.post("/permissions/groups/{slug}", response=Made, url_name="api-approver-group-set")
@requires(Action.EDIT_PERMISSIONS, "POST")
@sharp
def set_group(request: HttpRequest, slug: str, asked: ApproverGroup) -> Status[ChangeShape]:
    """Propose who is in a named group of approvers."""
    after = approver_groups.value(" ".join(asked.name.split()), sorted(set(asked.members)))
    return submitted(request, "approver-group", slug, after, asked.reason, asked.seen)


def submitted(
    request: HttpRequest, name: str, key: str, after: Value, reason: str, seen: str | None
) -> Status[ChangeShape]:
    """Make it so, or propose it where a second person is needed. Raises what `services.submit` raises."""
    made = services.submit(person(request), name, key, after, reason, seen=seen)
    return Status(201, ChangeShape.of(made))
