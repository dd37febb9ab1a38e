"""The page of a host: its keys, and the test of the connection as it happens."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action, can
from cvdops.executions import inventory, keys, probes, queues
from cvdops.lib.errors import Invalid, Problem
from cvdops.web.probes import shown


@requires(Action.READ_ENVIRONMENTS)
def host(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    return _page(request, slug, name)


@requires(Action.TEST_HOST, "POST")
def test(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    probes.ask(person(request), slug, name)
    if request.headers.get("HX-Request"):
        return _page(request, slug, name)
    return redirect("host", slug, name)


@requires(Action.CONFIRM_KEY, "POST")
def confirm_key(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    fingerprint, reason = request.POST.get("fingerprint", ""), request.POST.get("reason", "")
    try:
        made = keys.confirm(person(request), slug, name, fingerprint, reason)
    except Invalid as error:
        return _page(request, slug, name, error.problems)
    messages.success(request, f"{made.fingerprint} is confirmed; {name} is being tested again.")
    return redirect("host", slug, name)


def _page(
    request: HttpRequest, slug: str, name: str, problems: Sequence[Problem] = ()
) -> HttpResponse:
    """The page; for the script, the test alone."""
    user, found = person(request), inventory.host(slug, name)
    newest = found.checks.select_related("requested_by").first()
    with_keys = keys.last_with_keys(found)
    context = {
        "environment": found.environment,
        "host": found,
        "test": shown(newest) if newest else None,
        "standing": keys.standing(found, with_keys),
        "shown_keys": with_keys.keys if with_keys else [],
        "problems": problems,
        "reason": request.POST.get("reason", ""),
        "may_test": can(user, Action.TEST_HOST),
        "may_confirm": can(user, Action.CONFIRM_KEY),
        "edit": can(user, Action.EDIT_ENVIRONMENTS),
        "gap": queues.gap(found.environment.queue),
        "users": inventory.known_users_of(user, found),
    }
    fragment = bool(request.headers.get("HX-Request"))
    template = "environments/host.html#test" if fragment else "environments/host.html"
    return render(request, template, context, status=422 if problems else 200)
