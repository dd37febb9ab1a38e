"""The environments in a list, and the practice CVD put back."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action, can
from cvdops.environments.models import Environment
from cvdops.executions import practice
from cvdops.web.views import feed


@requires(Action.READ_ENVIRONMENTS)
def environments(request: HttpRequest) -> HttpResponse:
    context = {
        "environments": Environment.objects.prefetch_related("hosts", "variables"),
        "reset": can(request.user, Action.RESET_PRACTICE),
        "feed": feed.address(request, person(request)),
    }
    return render(request, "environments/list.html", context)


@requires(Action.RESET_PRACTICE, "POST")
def reset_practice(request: HttpRequest, slug: str) -> HttpResponse:
    """Put the practice CVD back to how it was delivered."""
    practice.reset(person(request), slug)
    messages.success(request, "The practice CVD is as it was delivered.")
    return redirect("environments")
