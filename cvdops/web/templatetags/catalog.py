"""Template tags of the pages of the catalog."""

from collections.abc import Iterable

from django import template
from django.utils.safestring import SafeString

from cvdops.spec.document import Diagnostic
from cvdops.web.catalog.source import numbered

register = template.Library()


@register.simple_tag
def source_lines(text: str, found: Iterable[Diagnostic]) -> SafeString:
    """A document as numbered lines, marked with what was found in them."""
    return numbered(text, found)
