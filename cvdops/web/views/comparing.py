"""Two executions side by side."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.accounts.models import User
from cvdops.executions.models import Execution
from cvdops.executions.queries import named, visible_to
from cvdops.live import comparison


@requires(Action.USE_PORTAL)
def compare(request: HttpRequest) -> HttpResponse:
    """`?run=1041&run=1042`: numbers or ids, in any order: the older one stands first. Without two it asks."""
    user = person(request)
    texts = [name for text in request.GET.getlist("run") if (name := text.strip().lstrip("#"))]
    if len(texts) != 2:
        context = {"named": texts, "earlier": _earlier(user, texts)}
        return render(request, "history/choose.html", context)
    first, second = sorted((named(user, name) for name in texts), key=lambda one: one.number)
    context = {"compared": comparison.compare(user, first, second), "named": texts}
    return render(request, "history/compare.html", context)


def _earlier(user: User, texts: list[str]) -> list[Execution]:
    """Of one execution, the last ones before it of the same procedure in the same environment."""
    if len(texts) != 1:
        return []
    one = named(user, texts[0])
    same = visible_to(user).filter(
        runbook=one.runbook_id, environment=one.environment_id, procedure=one.procedure
    )
    return list(same.filter(pk__lt=one.pk).order_by("-id")[:10])
