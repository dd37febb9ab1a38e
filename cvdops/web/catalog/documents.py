"""The document of a version as a page. A version never changes, so it is rendered once per process."""

from functools import lru_cache

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from cvdops.catalog.models import RunbookVersion
from cvdops.catalog.queries import document, why_unread
from cvdops.lib.visible import visible
from cvdops.spec.render import render
from cvdops.web.catalog.source import lines_of

_KEPT = 200_000  # characters of a source whose page is kept: what is larger would take much memory


def source(version: RunbookVersion) -> str:
    """The text of the version; empty where reading it took too much."""
    return "" if why_unread(version) else version.source


def rendered(version: RunbookVersion) -> SafeString:
    """The document as safe HTML, with everything visible that would change how its text looks."""
    if why := why_unread(version):
        return format_html("<p>{} It is not shown.</p>", why)
    html = _kept(version.pk)
    return mark_safe(html or _render(version))  # noqa: S308 — the renderer lets nothing act


@lru_cache(maxsize=64)
def _kept(version_id: int) -> str:
    version = RunbookVersion.objects.get(pk=version_id)
    return _render(version) if len(version.source) <= _KEPT else ""


def _render(version: RunbookVersion) -> str:
    return render(visible("\n".join(lines_of(version.source))), document(version).steps)
