"""Icons, times and durations as every page shows them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import urlencode

from django import template
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from cvdops.environments.models import Environment
from cvdops.environments.schedule import said
from cvdops.executions.inputs import Input, mentions
from cvdops.executions.states import Look
from cvdops.lib.visible import visible
from cvdops.lib.zones import beside, zone
from cvdops.spec.document import Kind
from cvdops.spec.render import ANCHOR, render_fragment
from cvdops.spec.slugs import slug
from cvdops.web import icons
from cvdops.web.browsers import browser_name

register = template.Library()
register.filter("browser", browser_name)

_SHORT = 4_000  # characters of a piece whose HTML is kept


@register.simple_tag
def icon(name: str, size: int = 16) -> SafeString:
    """A decorative icon: the word beside it says the same."""
    return icons.icon(str(name), int(size))


@register.simple_tag
def badge(look: Look) -> SafeString:
    """A state, as `_state.html` shows it: for lists, in which the same ones come again and again."""
    return _badge(look)


@lru_cache(maxsize=256)
def _badge(look: Look) -> SafeString:
    return render_to_string("_state.html", {"look": look})


@register.simple_tag
def place(environment: Environment) -> SafeString:
    """An environment, as `_env.html` shows it: for lists."""
    return _place(environment.slug, environment.protected)


@lru_cache(maxsize=256)
def _place(slug: str, protected: bool) -> SafeString:
    return render_to_string("_env.html", {"environment": {"slug": slug, "protected": protected}})


@register.filter
def duration(value: timedelta | float | None) -> str:
    """Seconds or a timedelta in words: 0.4 s, 12 s, 6 min 12 s, 2 h 5 min, 3 d 4 h."""
    if value is None:
        return ""
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s".replace(".0 s", " s")
    for big, big_name, small, small_name in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if seconds >= big:
            rest = int(seconds % big) // small
            return f"{int(seconds) // big} {big_name}" + (f" {rest} {small_name}" if rest else "")
    return f"{int(seconds)} s"


@register.filter
def grouped(number: int) -> str:
    """A number with commas between its thousands."""
    return f"{number:,}"


@register.filter
def longer(seconds: float) -> str:
    """A difference of two durations in words."""
    return f"{duration(abs(seconds))} {'longer' if seconds > 0 else 'shorter'}"


@register.filter
def since(start: datetime | None, end: datetime | None = None) -> str:
    """How long from `start` to `end`, or until now."""
    return duration((end or timezone.now()) - start) if start else ""


@register.filter
def until(end: datetime | None) -> str:
    """How long from now to `end`."""
    return duration(end - timezone.now()) if end else ""


@register.simple_tag
def when(at: datetime | None, style: str = "full") -> SafeString | str:
    """A time in UTC; the script adds the reader's own zone.

    Styles: full, exact (for ever), said (in a sentence), clock.
    """
    if at is None:
        return ""
    utc = at.astimezone(UTC)
    today = utc.date() == timezone.now().astimezone(UTC).date()
    said = "%H:%M:%S UTC" if today else "%Y-%m-%d %H:%M:%S UTC"
    formats = {
        "full": "%Y-%m-%d %H:%M UTC",
        "exact": "%Y-%m-%d %H:%M:%S UTC",
        "said": said,
        "clock": "%H:%M:%S",
    }
    return format_html(
        '<time datetime="{}" data-local title="{}">{}</time>',
        utc.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        moment(at),
        utc.strftime(formats[style]),
    )


@register.filter
def moment(value: datetime) -> str:
    """A time in UTC to the millisecond."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03} UTC"


@register.filter
def typed(moment: datetime | None) -> str:
    """A time as an input for times holds it, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M") if moment else ""


@register.simple_tag(takes_context=True)
def zoned(context: template.Context, moment: datetime | None) -> SafeString | str:
    """A planned time: the day and hour in UTC, and beside it by the reader's own clock."""
    if moment is None:
        return ""
    request = getattr(context, "request", None)
    local = beside(moment, zone(request.COOKIES.get("zone", ""))) if request else ""
    return format_html(
        '<time datetime="{}">{}{}</time>',
        moment.astimezone(UTC).isoformat(timespec="minutes").replace("+00:00", "Z"),
        said(moment),
        f" ({local})" if local else "",
    )


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: object) -> str:
    """The query string of this page with some parameters changed; None removes one."""
    parameters: QueryDict = context["request"].GET.copy()
    for name, value in changes.items():
        parameters.pop(name, None)
        if value is not None:
            parameters[name] = str(value)
    return "?" + urlencode([(k, v) for k, values in parameters.lists() for v in values if v])


@register.filter
def percent(part: float, whole: float) -> float:
    """`part` of `whole` in percent, with one decimal."""
    return round(100 * part / whole, 1) if whole else 0.0


@register.inclusion_tag("_command.html")
def command(body: str, kind: str = "", values: Sequence[Input] = ()) -> dict[str, object]:
    """A script with its variables marked and their values beside them, and what would hide made visible.

    A value that a script may change is not put into it: where it stands it may be another by then.
    """
    body = visible(body)
    fixed = {one.name: one for one in values if one.fixed}
    pieces: list[tuple[str, str, Input | None]] = []
    end = 0
    for found in mentions(Kind(kind) if kind else None, body):
        value = fixed.get(found.name) if found.whole else None
        if value or body[found.start] not in "'\"":
            pieces.append((body[end : found.start], body[found.start : found.end], value))
            end = found.end
    within = {value.name for _, _, value in pieces if value}
    return {
        "pieces": pieces,
        "rest": body[end:],
        "others": [one for one in values if one.name not in within],
    }


_KIND_ICONS = {
    Kind.APPROVAL: "stamp",
    Kind.MANUAL: "hand",
    Kind.CHECKLIST: "list-checks",
    Kind.HTTP: "globe",
    Kind.SQL: "database",
    Kind.RUNBOOK: "book-open",
}


@register.filter
def kind_icon(kind: str) -> str:
    """The icon of a kind of step."""
    return _KIND_ICONS.get(Kind(kind), "square-terminal")


@register.filter
def prose_html(markdown: str) -> SafeString:
    """A piece of a runbook, through the same renderer."""
    render = _rendered if len(markdown) <= _SHORT else render_fragment
    return mark_safe(render(markdown))  # noqa: S308


# The same text is the same HTML: pages show the prose of the same steps again and again.
_rendered = lru_cache(maxsize=512)(render_fragment)


@register.filter
def anchor(heading: str) -> str:
    """The id of a heading in a rendered document."""
    return ANCHOR + slug(heading)
