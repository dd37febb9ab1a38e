"""The permissions matrix: to read, and to propose changes of."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from cvdops.access.levels import Level
from cvdops.access.marks import person, requires
from cvdops.access.models import MatrixCell, Role, RoleGrant
from cvdops.access.policy import Action, can, roles
from cvdops.changes.matrix import key
from cvdops.changes.services import submit_all
from cvdops.executions.whatif import choices, question
from cvdops.lib.errors import Conflict, Invalid, UserError
from cvdops.spec.document import Category
from cvdops.web.changes import told
from cvdops.web.fresh import fresh
from cvdops.web.matrix import draft


@requires(Action.READ_PERMISSIONS)
def permissions(request: HttpRequest) -> HttpResponse:
    levels = {(cell.role_id, cell.category): Level(cell.level) for cell in MatrixCell.objects.all()}
    grants = RoleGrant.objects.in_force().select_related("user", "environment", "role")
    held = list(grants.filter(user__is_active=True).order_by("user__name"))
    rows = [
        {
            "role": role,
            "cells": [
                (key(role.pk, c), levels.get((role.pk, c.value), Level.NONE)) for c in Category
            ],
            "grants": [grant for grant in held if grant.role_id == role.pk],
        }
        for role in Role.objects.all()
    ]
    context = {
        "categories": [c.value for c in Category],
        "rows": rows,
        "mine": roles(person(request)),
        "edit": can(person(request), Action.EDIT_PERMISSIONS),
    }
    return render(request, "permissions/matrix.html", context)


@requires(Action.EDIT_PERMISSIONS, "GET", "POST")
@fresh
def edit(request: HttpRequest) -> HttpResponse:
    """Choose levels, see who would gain and lose what, and propose it."""
    if request.method != "POST":
        return _editor(request)
    wanted = draft(person(request), request.POST.dict()).wanted()
    reason = request.POST.get("reason", "")
    try:
        made = submit_all(person(request), "matrix", wanted, reason)
    except (Invalid, Conflict) as error:
        return _editor(request, error)
    messages.success(request, told(made))
    return redirect("changes")


@requires(Action.READ_PERMISSIONS)
def what_if(request: HttpRequest) -> HttpResponse:
    """What the policy would answer somebody, somewhere, at some time."""
    user, asked, error = person(request), None, None
    try:
        asked = question(user, request.GET)
    except Invalid as invalid:
        error = invalid
    context = {
        "choices": choices(user, asked),
        "asked": request.GET.dict(),
        "question": asked,
        "error": error,
    }
    fragment = "#answer" if request.headers.get("HX-Request") else ""
    status = error.status if error else 200
    return render(request, f"permissions/what_if.html{fragment}", context, status=status)


def _editor(request: HttpRequest, error: UserError | None = None) -> HttpResponse:
    data = request.POST if error else request.GET
    context = {
        "categories": [c.value for c in Category],
        "draft": draft(person(request), data.dict()),
        "reason": data.get("reason", ""),
        "error": error,
    }
    fragment = "#preview" if request.headers.get("HX-Request") else ""
    return render(
        request, f"permissions/edit.html{fragment}", context, status=error.status if error else 200
    )
