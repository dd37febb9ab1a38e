"""One's own account: where one is logged in, the password, the tokens of one's programs."""

from collections.abc import Sequence

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters

from cvdops.access import sessions, tokens
from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.accounts.models import Token
from cvdops.accounts.sessions import alive
from cvdops.changes import accounts
from cvdops.lib.errors import Invalid, Problem
from cvdops.web.forms import TokenForm
from cvdops.web.fresh import fresh


@requires(Action.USE_PORTAL)
def account(request: HttpRequest) -> HttpResponse:
    return _page(request, TokenForm())


@requires(Action.USE_PORTAL, "GET", "POST")
@sensitive_post_parameters()
@fresh
def password(request: HttpRequest) -> HttpResponse:
    problems: Sequence[Problem] = []
    if request.method == "POST":
        try:
            _choose_password(request)
        except Invalid as error:
            problems = error.problems
        else:
            messages.success(request, "Your password is changed. Other browsers are logged out.")
            return redirect("account")
    context = {"problems": problems}
    return render(request, "accounts/password.html", context, status=422 if problems else 200)


def _choose_password(request: HttpRequest) -> None:
    user, chosen = person(request), request.POST.get("password", "")
    if chosen != request.POST.get("again", ""):
        raise Invalid([Problem("again", "The two are not the same. Type it again.")])
    with transaction.atomic():
        accounts.choose_password(user, chosen)
        update_session_auth_hash(request, user)
        alive(user).exclude(pk=request.session.session_key).delete()


@requires(Action.KEEP_ACCOUNT, "POST")
def end_one(request: HttpRequest, public_id: str) -> HttpResponse:
    """Log one of one's browsers out; it may be this one."""
    sessions.end(person(request), public_id)
    messages.success(request, "That browser is logged out.")
    return redirect("account")


@requires(Action.KEEP_ACCOUNT, "POST")
def end_others(request: HttpRequest) -> HttpResponse:
    """Log all browsers out but this one."""
    count = sessions.end_others(person(request), request.session.session_key)
    messages.success(request, f"Logged out elsewhere: {count}. Here you stay logged in.")
    return redirect("account")


@requires(Action.USE_PORTAL, "POST")
@fresh
def make_token(request: HttpRequest) -> HttpResponse:
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    given = form.cleaned_data
    try:
        token, text = tokens.make(
            person(request), given["name"], given["scopes"], given["days"], proved=True
        )
    except Invalid as error:
        for problem in error.problems:
            form.add_error(problem.field, problem.message)
        return _page(request, form, status=422)
    return _page(request, TokenForm(), made=token, text=text)


@requires(Action.KEEP_ACCOUNT, "POST")
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    token = tokens.revoke(person(request), pk)
    messages.success(request, f"The token “{token.name}” opens nothing any more.")
    return redirect("account")


def _page(
    request: HttpRequest,
    form: TokenForm,
    *,
    made: Token | None = None,
    text: str = "",
    status: int = 200,
) -> HttpResponse:
    user = person(request)
    context = {
        "sessions": alive(user),
        "here": request.session.session_key,
        "tokens": Token.objects.usable().filter(user=user),
        "form": form,
        "made": made,
        "text": text,
    }
    return render(request, "accounts/account.html", context, status=status)
