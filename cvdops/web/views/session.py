"""Logging in and out."""

from django.conf import settings
from django.contrib.auth import login, logout
from django.db import transaction
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.accounts.models import Session, User
from cvdops.accounts.passwords import Answer
from cvdops.accounts.sessions import SessionStore
from cvdops.audit.log import record
from cvdops.web.forms import LoginForm
from cvdops.web.passwords import judge
from cvdops.web.people import PASSWORD, PEOPLE


@requires(Action.PUBLIC, "GET", "POST")
def log_in(request: HttpRequest) -> HttpResponse:
    target = _safe_target(request)
    if request.user.is_authenticated:
        return redirect(target)
    form = LoginForm(request.POST if request.method == "POST" else None)
    status, answer = 200, Answer()
    if form.is_bound:
        status = 422
        if form.is_valid():
            name, password = form.cleaned_data["username"], form.cleaned_data["password"]
            answer = judge(request, "session.login", name, password)
            if answer.user:
                _begin(request, answer.user)
                return redirect(target)
            status = 429 if answer.wait else 422
            form.add_error(None, answer.problem)
    demo = None if settings.PRODUCTION else {"people": PEOPLE, "password": PASSWORD}
    context = {"form": form, "next": target, "demo": demo}
    response = render(request, "accounts/login.html", context, status=status)
    if answer.wait:
        response["Retry-After"] = str(answer.wait.seconds)
    return response


@requires(Action.USE_PORTAL, "POST")
def log_out(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        record(person(request), "session.logout", "session", person(request).username)
        logout(request)
    response = redirect("login")
    response["Clear-Site-Data"] = '"cache"'  # and the pages that the back button would show
    return response


def _begin(request: HttpRequest, user: User) -> None:
    first = user.last_login is None
    with transaction.atomic():
        login(request, user)
        if first:
            request.session["first_visit"] = True  # until the tour was opened, or they leave
        record(user, "session.login", "session", user.username)
        SessionStore.clear_expired()
        Session.objects.filter(pk=request.session.session_key).update(
            proved_at=Now(),
            address=request.META.get("REMOTE_ADDR") or None,
            browser=request.headers.get("User-Agent", "")[:200],
        )


def _safe_target(request: HttpRequest) -> str:
    """Where to go after the login: a page of the portal, never another site."""
    target = request.POST.get("next") or request.GET.get("next") or "/"
    relative = target.startswith("/") and url_has_allowed_host_and_scheme(target, None)
    return target if relative else "/"
