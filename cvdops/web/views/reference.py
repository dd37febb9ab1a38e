"""Pages to look something up: environments, contacts."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action, can
from cvdops.environments.models import Contact, Environment
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


@requires(Action.USE_PORTAL)
def contacts(request: HttpRequest) -> HttpResponse:
    found = list(Contact.objects.all())
    kinds = [(kind, [c for c in found if c.kind == kind]) for kind in Contact.Kind]
    return render(request, "contacts.html", {"kinds": kinds})
