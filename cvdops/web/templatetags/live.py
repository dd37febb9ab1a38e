"""Template tags of the pages that move."""

from datetime import datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from cvdops.access.policy import role_names
from cvdops.executions.pace import between
from cvdops.executions.past import Ahead
from cvdops.executions.plan import Plan
from cvdops.lib.visible import visible
from cvdops.web.live.tail import Tail
from cvdops.web.live.terminal import Line
from cvdops.web.templatetags.portal import since, until

register = template.Library()


@register.filter(name="visible")
def visible_text(value: object) -> str:
    """Text in which escapes, overrides and invisible characters are seen."""
    return visible(str(value))


@register.filter
def deciders(plan: Plan, gate: str) -> str:
    """How many of whom a gate of this plan asks for, by the names of roles and groups."""
    names = role_names()
    groups = plan.gates[gate].groups if gate in plan.gates else ()
    return ", and ".join(
        f"{group.required} of {' or '.join(names.get(name, name) for name in group.approvers)}"
        for group in groups
    )


@register.simple_tag
def terminal_lines(shown: Tail) -> SafeString:
    """The lines of an output; the script adds others of the same shape."""
    if shown.instead:
        return format_html('<li class="gap" data-s="0">{}</li>', shown.instead)
    # Made of spans with classes and escaped text alone, see `live.terminal`.
    return mark_safe("".join(_line(line, shown) for line in shown.lines))  # noqa: S308


def _line(line: Line, shown: Tail) -> str:
    marked = " id=at aria-current=true" if line.start == shown.marked else ""
    time = shown.time(line)
    told = f' data-t="{time}"' if time and not line.continued else ""
    more = " class=more" if line.continued else ""
    return f'<li data-s="{line.start}"{told}{marked}{more}>{line.html}</li>'


def as_json(shown: Tail) -> dict[str, object]:
    """A part of an output as the script of the page takes it."""
    return {
        "attempt": str(shown.attempt),
        "begin": shown.begin,
        "end": shown.end,
        "size": shown.size,
        "oldest": shown.oldest,
        "first": shown.first,
        "html": terminal_lines(shown),
    }


@register.simple_tag
def elapsed(start: datetime | None, end: datetime | None = None) -> SafeString:
    """A duration; without an end, one that the script lets go on."""
    if start is None:
        return SafeString("")
    going = "" if end else format_html(' data-since="{}"', start.isoformat())
    return format_html('<span class="num"{}>{}</span>', going, since(start, end))


@register.simple_tag
def countdown(end: datetime | None) -> SafeString:
    """How long it is until then; the script lets it go on."""
    if end is None:
        return SafeString("")
    template = '<span class="num" data-until="{}">{}</span>'
    return format_html(template, end.isoformat(), until(end))


@register.simple_tag
def time_left(ahead: Ahead) -> SafeString:
    """The range in which it may be done, a duration that goes on while something is at work."""
    if ahead.left is None or ahead.between is None:
        return SafeString("")
    words = between(ahead.left.low, ahead.left.high)
    if not ahead.moving:
        return format_html("<span>{}</span>", words)
    low, high = ahead.between
    template = '<span data-left="{} {}">{}</span>'
    return format_html(template, low.isoformat(), high.isoformat(), words)
