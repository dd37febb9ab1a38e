"""What the portal has told you."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.api.asking import Asked, Listed, Number, first, number
from cvdops.executions.told import known
from cvdops.notifications import queries, services
from cvdops.notifications.models import Notice

router = Router(tags=["notices"])


class NoticeShape(Schema):
    """`url` leads to where it is dealt with."""

    id: int
    text: str
    url: str
    at: datetime
    read_at: datetime | None

    @classmethod
    def of(cls, notice: Notice) -> "NoticeShape":
        return cls(
            id=notice.pk, text=notice.text, url=notice.path, at=notice.at, read_at=notice.read_at
        )


class Notices(Schema):
    """A page may be shorter than others: what you may not see any more is left out."""

    items: list[NoticeShape]
    next_cursor: str


class Read(Asked):
    """Without an id all of them."""

    id: Number | None = None


@router.get("/notices", response=Notices, url_name="api-notices")
@requires(Action.USE_PORTAL)
def notices(request: HttpRequest, wanted: Query[Listed]) -> Notices:
    """Yours, newest first."""
    user = person(request)
    found = queries.notices(user).order_by("-pk")
    if wanted.cursor:
        found = found.filter(pk__lt=number(wanted.cursor))
    page, following = first(found)
    return Notices(items=[NoticeShape.of(one) for one in known(user, page)], next_cursor=following)


@router.post("/notices/read", response={204: None}, url_name="api-notices-read")
@requires(Action.USE_PORTAL, "POST")
def read(request: HttpRequest, asked: Read) -> Status[None]:
    """You have read one of them, or all."""
    services.read(person(request), asked.id)
    return Status(204, None)
