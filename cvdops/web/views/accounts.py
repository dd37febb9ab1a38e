"""Everybody's accounts, for administrators. What somebody may do is on the pages of permissions."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from cvdops.access.marks import person, requires
from cvdops.access.models import RoleGrant
from cvdops.access.policy import Action
from cvdops.accounts.models import Token, User
from cvdops.accounts.sessions import alive
from cvdops.audit.models import AuditEntry
from cvdops.changes import accounts
from cvdops.lib.errors import Invalid
from cvdops.web.forms import PersonForm
from cvdops.web.fresh import fresh

ENTRIES = 20


@requires(Action.MANAGE_ACCOUNTS)
def people(request: HttpRequest) -> HttpResponse:
    found = User.objects.order_by("-is_active", "name", "username")
    held = RoleGrant.objects.in_force().select_related("role", "user").order_by("role__order")
    grants: dict[int, list[RoleGrant]] = {}
    for grant in held:
        grants.setdefault(grant.user_id, []).append(grant)
    rows = [(user, grants.get(user.pk, [])) for user in found]
    return render(request, "accounts/people.html", {"rows": rows})


@requires(Action.MANAGE_ACCOUNTS, "GET", "POST")
@fresh
def add(request: HttpRequest) -> HttpResponse:
    form = PersonForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            user, password = accounts.open_account(person(request), **form.cleaned_data)
        except Invalid as error:
            for problem in error.problems:
                form.add_error(problem.field, problem.message)
        else:
            return _one(request, user, password)
    context = {"form": form}
    return render(request, "accounts/add.html", context, status=422 if form.is_bound else 200)


@requires(Action.MANAGE_ACCOUNTS)
def one(request: HttpRequest, username: str) -> HttpResponse:
    return _one(request, accounts.named(person(request), username))


@requires(Action.MANAGE_ACCOUNTS, "POST")
@fresh
def close(request: HttpRequest, username: str) -> HttpResponse:
    try:
        user = accounts.close(person(request), username, request.POST.get("reason", ""))
    except Invalid as error:
        user = accounts.named(person(request), username)
        return _one(request, user, problem=str(error))
    messages.success(request, f"{user.name} cannot log in any more. What they did stays.")
    return redirect("person", username)


@requires(Action.MANAGE_ACCOUNTS, "POST")
@fresh
def reopen(request: HttpRequest, username: str) -> HttpResponse:
    by = person(request)
    try:
        password = accounts.reopen(by, username, request.POST.get("reason", ""))
    except Invalid as error:
        return _one(request, accounts.named(by, username), problem=str(error))
    return _one(request, accounts.named(by, username), password)


@requires(Action.MANAGE_ACCOUNTS, "POST")
@fresh
def new_password(request: HttpRequest, username: str) -> HttpResponse:
    by = person(request)
    password = accounts.new_password(by, username)
    return _one(request, accounts.named(by, username), password)


@requires(Action.MANAGE_ACCOUNTS, "POST")
def log_out(request: HttpRequest, username: str) -> HttpResponse:
    count = accounts.log_out(person(request), username)
    messages.success(request, f"Browsers logged out: {count}.")
    return redirect("person", username)


def _one(request: HttpRequest, user: User, password: str = "", problem: str = "") -> HttpResponse:
    about = AuditEntry.objects.filter(subject="account", subject_id=user.username)
    context = {
        "account": user,
        "password": password,
        "problem": problem,
        "mine": user.person == person(request).person,
        "same": User.objects.filter(person=user.person).exclude(pk=user.pk),
        "grants": RoleGrant.objects.in_force().filter(user=user).select_related("role"),
        "sessions": alive(user),
        "tokens": Token.objects.usable().filter(user=user),
        "left_stuck": accounts.left_stuck(user) if user.is_active else [],
        "entries": about.select_related("actor")[:ENTRIES],
    }
    return render(request, "accounts/person.html", context, status=422 if problem else 200)
