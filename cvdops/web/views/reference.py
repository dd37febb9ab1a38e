"""Pages to look something up: environments, contacts."""

import subprocess
import sys

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action, can
from cvdops.audit.log import record
from cvdops.environments.models import Contact, Environment
from cvdops.lib.errors import Conflict, NotFound
from cvdops.web.views import feed

RESET_LIMIT = 60  # seconds
NOT_RESET = "The practice CVD was not reset"


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
    environment = Environment.objects.filter(pk=slug, practice=True).first()
    if environment is None:
        raise NotFound("practice environment")
    command = [
        sys.executable,
        "-m",
        "cvdops.practice",
        "reset",
        "--root",
        str(settings.PRACTICE_DIR),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=RESET_LIMIT)
    except subprocess.TimeoutExpired:
        text = f"The practice CVD was not reset within {RESET_LIMIT} s."
        raise Conflict(text, NOT_RESET) from None
    record(
        person(request),
        Action.RESET_PRACTICE,
        "environment",
        slug,
        data={"exit_code": done.returncode},
    )
    if done.returncode:
        last = (done.stderr or done.stdout).strip().rpartition("\n")[2]
        raise Conflict(f"The practice CVD could not be reset: {last}", NOT_RESET)
    messages.success(request, "The practice CVD is as it was delivered.")
    return redirect("environments")


@requires(Action.USE_PORTAL)
def contacts(request: HttpRequest) -> HttpResponse:
    found = list(Contact.objects.all())
    kinds = [(kind, [c for c in found if c.kind == kind]) for kind in Contact.Kind]
    return render(request, "contacts.html", {"kinds": kinds})
