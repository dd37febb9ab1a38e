"""The windows and freezes as an iCalendar feed. Calendars cannot log in: each address is a secret."""

from datetime import UTC, timedelta

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from icalendar import Calendar, Event, vRecur

from cvdops.access.marks import requires
from cvdops.access.policy import Action
from cvdops.accounts.models import User
from cvdops.environments.models import Period
from cvdops.lib.errors import NotFound

_SALT = "calendar feed"


def address(request: HttpRequest, user: User) -> str:
    """The address of this person's feed; it changes with their password."""
    return request.build_absolute_uri(reverse("calendar", args=[token(user)]))


def token(user: User) -> str:
    """What the address is known by."""
    return signing.dumps([user.pk, user.get_session_auth_hash()[:24]], salt=_SALT)


@requires(Action.PUBLIC)
def calendar(request: HttpRequest, token: str) -> HttpResponse:
    """Everything that is planned, for a person whose account is open."""
    try:
        pk, mark = signing.loads(token, salt=_SALT)
        user = User.objects.get(pk=pk, is_active=True)
    except (signing.BadSignature, ValueError, TypeError, User.DoesNotExist):
        raise NotFound("calendar") from None
    marks = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    if not any(mark == one[:24] for one in marks):
        raise NotFound("calendar")
    feed = Calendar()
    feed.add("prodid", "-//CVD Ops Runbooks//Maintenance windows//EN")
    feed.add("version", "2.0")
    feed.add("x-wr-calname", "CVD maintenance windows")
    for period in Period.objects.select_related("environment"):
        feed.add_component(_event(request, period))
    return HttpResponse(feed.to_ical(), content_type="text/calendar; charset=utf-8")


def _event(request: HttpRequest, period: Period) -> Event:
    start = period.starts_at.astimezone(UTC)
    event = Event()
    event.add("uid", f"{period.kind}-{period.pk}@{request.get_host()}")
    event.add("dtstamp", start)
    event.add("dtstart", start)
    event.add("dtend", start + timedelta(minutes=period.minutes))
    event.add("summary", f"{period.get_kind_display()} of {period.environment.slug}: {period.name}")
    event.add(
        "url", request.build_absolute_uri(reverse("environment", args=[period.environment_id]))
    )
    if period.rule:
        event.add("rrule", vRecur.from_ical(period.rule))
    return event
