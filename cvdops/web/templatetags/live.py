"""Template tags of the pages that move."""

from datetime import datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from cvdops.access.policy import role_names
from cvdops.executions.plan import Plan
from cvdops.lib.visible import visible
from cvdops.web.live.tail import Tail
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
def terminal_lines(tail: Tail) -> SafeString:
    """The lines of an output; the script adds others of the same shape."""
    if tail.instead:
        return format_html('<li class="gap" data-s="0">{}</li>', tail.instead)
    # Made of spans with classes and escaped text alone, see `live.terminal`.
    return mark_safe(  # noqa: S308
        "".join(
            f'<li data-s="{line.start}"{" class=more" if line.continued else ""}>{line.html}</li>'
            for line in tail.lines
        )
    )


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
