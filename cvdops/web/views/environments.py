"""One environment: what it consists of, and the forms that change it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action, each
from cvdops.environments.models import HostKey
from cvdops.executions import inventory
from cvdops.lib.errors import Conflict, Invalid, Problem
from cvdops.lib.together import attach, together
from cvdops.web import periods
from cvdops.web.probes import newest

_PARTS = ("periods", "databases", "addresses", "variables")


@requires(Action.READ_ENVIRONMENTS)
def environment(request: HttpRequest, slug: str) -> HttpResponse:
    found = inventory.environment(slug)
    tested = newest(found)
    hosts, keys, secrets, *parts = together(
        found.hosts.all(),
        HostKey.objects.filter(host__environment=found).select_related("confirmed_by"),
        found.secrets.filter(replaced_at=None).select_related("set_by").defer("sealed"),
        *(getattr(found, name).all() for name in _PARTS),
    )
    attach(hosts, "keys", keys, "host_id")
    for name, rows in zip(_PARTS, parts, strict=True):
        attach([found], name, rows, "environment_id")
    edits = each(
        person(request),
        (Action.EDIT_ENVIRONMENTS, Action.EDIT_SECRETS, Action.EDIT_WINDOWS),
        None,
    )
    context = {
        "environment": found,
        "hosts": [(host, tested.get(host.pk)) for host in hosts],
        "groups": found.groups.prefetch_related("hosts"),
        "calendar": periods.shown(found),
        "edit": edits[Action.EDIT_ENVIRONMENTS],
        "secrets": secrets,
        "edit_secrets": edits[Action.EDIT_SECRETS],
        "edit_windows": edits[Action.EDIT_WINDOWS],
    }
    return render(request, "environments/detail.html", context)


@requires(Action.EDIT_ENVIRONMENTS, "GET", "POST")
def add(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    return _edit(request, slug, kind, None)


@requires(Action.EDIT_ENVIRONMENTS, "GET", "POST")
def change(request: HttpRequest, slug: str, kind: str, pk: int) -> HttpResponse:
    return _edit(request, slug, kind, pk)


@requires(Action.EDIT_ENVIRONMENTS, "POST")
def remove(request: HttpRequest, slug: str, kind: str, pk: int) -> HttpResponse:
    inventory.remove(person(request), slug, kind, pk)
    messages.success(request, "It is removed.")
    return redirect("environment", slug)


def _edit(request: HttpRequest, slug: str, kind: str, pk: int | None) -> HttpResponse:
    if request.method != "POST":
        return _form(request, slug, kind, pk)
    try:
        saved = inventory.save(person(request), slug, kind, pk, request.POST)
    except Invalid as error:
        return _form(request, slug, kind, pk, request.POST, error.problems)
    except Conflict as error:
        return _form(request, slug, kind, pk, request.POST, conflict=error)
    messages.success(request, f"{saved} is saved.")
    return redirect("environment", slug)


def _form(
    request: HttpRequest,
    slug: str,
    kind: str,
    pk: int | None,
    data: Mapping[str, Any] | None = None,
    problems: Sequence[Problem] = (),
    conflict: Conflict | None = None,
) -> HttpResponse:
    form = inventory.form(slug, kind, pk, data)
    errors = [(f, [p.message for p in problems if p.field == f.name]) for f in form]
    for field, found in errors:
        if found:
            field.field.widget.attrs["aria-invalid"] = "true"
    context = {
        "environment": inventory.environment(slug),
        "kind": kind,
        "pk": pk,
        "called": form.called,
        "part": form.instance,
        "fields": errors,
        "conflict": conflict,
    }
    status = conflict.status if conflict else 422 if problems else 200
    return render(request, "environments/form.html", context, status=status)
