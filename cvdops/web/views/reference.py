"""Pages to look something up: permissions, environments, contacts."""

import subprocess
import sys

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from cvdops.access.levels import Level
from cvdops.access.models import MatrixCell, Role, RoleGrant
from cvdops.access.policy import Action, can, roles
from cvdops.audit.log import record
from cvdops.environments.models import Contact, Environment
from cvdops.lib.errors import Conflict, NotFound
from cvdops.spec.document import Category
from cvdops.web.access import person, requires

RESET_LIMIT = 60  # seconds


@requires(Action.READ_PERMISSIONS)
def permissions(request: HttpRequest) -> HttpResponse:
    levels = {(cell.role_id, cell.category): Level(cell.level) for cell in MatrixCell.objects.all()}
    grants = RoleGrant.objects.in_force().select_related("user", "environment", "role")
    held = list(grants.filter(user__is_active=True).order_by("user__name"))
    rows = [
        {
            "role": role,
            "cells": [levels.get((role.pk, c.value), Level.NONE) for c in Category],
            "grants": [grant for grant in held if grant.role_id == role.pk],
        }
        for role in Role.objects.all()
    ]
    context = {
        "categories": [c.value for c in Category],
        "rows": rows,
        "mine": roles(person(request)),
        "levels": list(Level),
    }
    return render(request, "permissions.html", context)


@requires(Action.READ_ENVIRONMENTS)
def environments(request: HttpRequest) -> HttpResponse:
    context = {
        "environments": Environment.objects.prefetch_related("hosts", "variables"),
        "reset": can(request.user, Action.RESET_PRACTICE),
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
        raise Conflict(f"The practice CVD was not reset within {RESET_LIMIT} s.") from None
    record(
        person(request),
        Action.RESET_PRACTICE,
        "environment",
        slug,
        data={"exit_code": done.returncode},
    )
    if done.returncode:
        last = (done.stderr or done.stdout).strip().rpartition("\n")[2]
        raise Conflict(f"The practice CVD could not be reset: {last}")
    messages.success(request, "The practice CVD is as it was delivered.")
    return redirect("environments")


@requires(Action.USE_PORTAL)
def contacts(request: HttpRequest) -> HttpResponse:
    found = list(Contact.objects.all())
    kinds = [(kind, [c for c in found if c.kind == kind]) for kind in Contact.Kind]
    return render(request, "contacts.html", {"kinds": kinds})
