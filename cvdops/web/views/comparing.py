"""Two executions side by side."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.accounts.models import User
from cvdops.executions.models import Execution
from cvdops.executions.queries import get_execution, visible_to
from cvdops.lib.errors import NotFound
from cvdops.web import comparison


@requires(Action.USE_PORTAL)
def compare(request: HttpRequest) -> HttpResponse:
    """`?run=1041&run=1042`: numbers or ids, the first one on the left; without two it asks for them."""
    user = person(request)
    named = [name for text in request.GET.getlist("run") if (name := text.strip().lstrip("#"))]
    if len(named) != 2:
        context = {"named": named, "earlier": _earlier(user, named)}
        return render(request, "history/choose.html", context)
    first, second = (_one(user, name) for name in named)
    context = {"compared": comparison.compare(user, first, second), "named": named}
    return render(request, "history/compare.html", context)


def _one(user: User, name: str) -> Execution:
    """Raises NotFound: unknown and forbidden are the same."""
    if not name.isdecimal():
        return get_execution(user, name)
    found = visible_to(user).defer(None).filter(number=int(name[:18])).first()
    if found is None:
        raise NotFound("execution")
    return found


def _earlier(user: User, named: list[str]) -> list[Execution]:
    """Of one execution, the last ones before it of the same procedure in the same environment."""
    if len(named) != 1:
        return []
    one = _one(user, named[0])
    same = visible_to(user).filter(
        runbook=one.runbook_id, environment=one.environment_id, procedure=one.procedure
    )
    return list(same.filter(pk__lt=one.pk).order_by("-id")[:10])
