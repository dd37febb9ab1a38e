"""The onboarding ladder: everybody on it, and the page of one person with what leads further."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from cvdops.access.certification import Stage, following
from cvdops.access.marks import person, requires
from cvdops.access.models import Certification
from cvdops.access.policy import Action, can, standing_of
from cvdops.accounts.models import User
from cvdops.executions import evidence, services
from cvdops.lib.errors import Invalid, NotFound, Problem


@requires(Action.READ_PERMISSIONS)
def certification(request: HttpRequest) -> HttpResponse:
    newest = {c.user_id: c for c in Certification.objects.newest().select_related("granted_by")}
    people = User.objects.filter(is_active=True).order_by("name")
    user = person(request)
    everybody = _may_read(user)
    context = {
        "rows": [(them, newest.get(them.pk), everybody or them == user) for them in people],
        "stages": list(Stage),
        "shadow": Stage.SHADOW,
    }
    return render(request, "permissions/certification.html", context)


@requires(Action.READ_PERMISSIONS)
def certified(request: HttpRequest, username: str) -> HttpResponse:
    return _page(request, username)


@requires(Action.CERTIFY, "POST")
def certify(request: HttpRequest, username: str) -> HttpResponse:
    stage, note = request.POST.get("stage", ""), request.POST.get("note", "")
    try:
        made = services.certify(person(request), username, stage, note)
    except Invalid as error:
        return _page(request, username, error.problems)
    messages.success(request, f"{made.user.name} is at “{Stage(made.stage).label}” now.")
    return redirect("certified", username)


def _may_read(user: User) -> bool:
    """Whether the pages of others exist for this person."""
    return can(user, Action.CERTIFY).allowed or can(user, Action.READ_AUDIT).allowed


def _page(request: HttpRequest, username: str, problems: Sequence[Problem] = ()) -> HttpResponse:
    """One's own page, or that of somebody else for those who grant or read the audit log."""
    user = person(request)
    them = User.objects.filter(username=username).first()
    may = can(user, Action.CERTIFY)
    if them is None or (them != user and not _may_read(user)):
        raise NotFound("person")
    certificate = standing_of(them).certificate
    stage = certificate.stage
    context = {
        "them": them,
        "own": them == user,
        "certificate": certificate,
        "stage": stage,
        "stages": list(Stage),
        "next": following(stage),
        "requirements": evidence.toward(stage, evidence.record_of(them, user)),
        "history": them.certifications.select_related("granted_by").order_by("-id"),
        "may_grant": may.allowed and them.person != user.person and them.is_active,
        "problems": problems,
        "note": request.POST.get("note", ""),
        "wanted": request.POST.get("stage", str(int(following(stage) or stage))),
    }
    status = 422 if problems else 200
    return render(request, "permissions/certified.html", context, status=status)
