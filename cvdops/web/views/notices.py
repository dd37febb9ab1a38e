"""What the portal has told this person, and asking others for help."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.executions.helping import ask_for_help
from cvdops.executions.told import known
from cvdops.notifications import queries, services
from cvdops.notifications.models import Notice

SHOWN = 100


@requires(Action.USE_PORTAL)
def notices(request: HttpRequest) -> HttpResponse:
    user = person(request)
    found = known(user, list(queries.notices(user)[:SHOWN]))
    return render(request, "notices.html", {"notices": found})


@requires(Action.USE_PORTAL, "POST")
def read(request: HttpRequest) -> HttpResponse:
    """All of them."""
    services.read(person(request))
    return redirect("notices")


@requires(Action.USE_PORTAL, "POST")
def follow(request: HttpRequest, pk: int) -> HttpResponse:
    """Open what a notice is about; it counts as read."""
    user = person(request)
    services.read(user, pk)
    found = Notice.objects.filter(user=user, pk=pk).first()
    return redirect(found.path if found else "notices")


@requires(Action.READ_RUNBOOK, "POST")
def ask(request: HttpRequest, runbook_id: str) -> HttpResponse:
    """Ask those who may start this runbook there."""
    environment = request.POST.get("environment", "")
    asked = ask_for_help(person(request), runbook_id, environment, request.POST.get("note", ""))
    names = ", ".join(user.name for user in asked)
    messages.success(request, f"Asked: {names}. They see it in their notices.")
    return redirect(f"{reverse('run', args=[runbook_id])}?environment={environment}")
