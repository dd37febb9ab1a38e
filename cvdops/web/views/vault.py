"""The secrets of an environment, to write and never to read; and where its health is asked."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.executions import inventory, secrets
from cvdops.lib.errors import Invalid, Problem
from cvdops.web.fresh import fresh


@requires(Action.EDIT_SECRETS, "GET", "POST")
@sensitive_post_parameters("value")
@fresh
def secret(request: HttpRequest, slug: str) -> HttpResponse:
    if request.method != "POST":
        return _form(request, slug)
    # Lines end as on the targets: a browser sends them as on the wire.
    value = request.POST.get("value", "").replace("\r\n", "\n")
    try:
        made = secrets.set_secret(person(request), slug, request.POST.get("name", ""), value)
    except Invalid as error:
        return _form(request, slug, error.problems)
    messages.success(request, f"{made.name} is set, version {made.version}.")
    return redirect("environment", slug)


@requires(Action.EDIT_SECRETS, "POST")
@fresh
def remove(request: HttpRequest, slug: str) -> HttpResponse:
    name = request.POST.get("name", "")
    secrets.remove_secret(person(request), slug, name)
    messages.success(request, f"{name} is removed.")
    return redirect("environment", slug)


@requires(Action.EDIT_ENVIRONMENTS, "POST")
def health(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        inventory.set_health(person(request), slug, request.POST.get("health_url", "").strip())
    except Invalid as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "The health endpoint is saved.")
    return redirect("environment", slug)


def _form(request: HttpRequest, slug: str, problems: Sequence[Problem] = ()) -> HttpResponse:
    """What was typed as the value is not sent back."""
    found = inventory.environment(slug)
    sent = request.POST if problems else request.GET
    context = {
        "environment": found,
        "name": sent.get("name", ""),
        "known": found.secrets.filter(replaced_at=None),
        "errors": {p.field: p.message for p in problems},
    }
    return render(request, "environments/secret.html", context, status=422 if problems else 200)
