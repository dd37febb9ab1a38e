"""What each finding of the linter means."""

from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cvdops.access.marks import requires
from cvdops.access.policy import Action
from cvdops.lib.errors import NotFound
from cvdops.spec.codes import CODES
from cvdops.spec.render import render as render_document


@requires(Action.USE_PORTAL)
def rule(request: HttpRequest, code: str) -> HttpResponse:
    """The page of docs/lint about a code."""
    if code not in CODES:
        raise NotFound("rule")
    context = {"code": code, "explanation": CODES[code].explanation, "html": _page(code)}
    return render(request, "catalog/rule.html", context)


@lru_cache(maxsize=len(CODES))
def _page(code: str) -> str:
    path = settings.BASE_DIR / "docs" / "lint" / f"{code}.md"
    return render_document(path.read_text(encoding="utf-8"))
