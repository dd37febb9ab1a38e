"""The inbox of approvals and the page on which one is decided."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action, can
from cvdops.approvals.models import ApprovalRequest, Decision, RequestState
from cvdops.approvals.queries import get_request, visible
from cvdops.executions import services
from cvdops.executions.asking import asked
from cvdops.executions.deciders import gate_of
from cvdops.lib.errors import Conflict, Invalid, Problem
from cvdops.web import nonce
from cvdops.web.context import portal_of
from cvdops.web.live.look import look
from cvdops.web.review import review
from cvdops.web.views.executions import icon_path

SHOWN = 50


@requires(Action.USE_PORTAL)
def approvals(request: HttpRequest) -> HttpResponse:
    """What this person may decide, then all that they may see."""
    inbox = portal_of(request).inbox
    others = visible(person(request)).exclude(pk__in=[r.pk for r in inbox])[:SHOWN]
    context = {"inbox": asked(inbox), "others": asked(others)}
    template = "list.html#lists" if request.headers.get("HX-Request") else "list.html"
    return render(request, f"approvals/{template}", context)


@requires(Action.READ_EXECUTION)
def approval(request: HttpRequest, request_id: str) -> HttpResponse:
    """The decision page; asked for by the script, all parts of it that a decision changes."""
    found = get_request(person(request), request_id)
    context = _context(request, found)
    part = "_parts.html" if request.headers.get("HX-Request") else "detail.html"
    return render(request, f"approvals/{part}", context)


@requires(Action.DECIDE, "POST")
def decide(request: HttpRequest, request_id: str) -> HttpResponse:
    """Approve or reject. What stands against it is said beside the form, which keeps the comment."""
    found = get_request(person(request), request_id)
    can(person(request), Action.DECIDE, gate_of(found)).enforce()
    verdict = request.POST.get("verdict", "")
    comment = request.POST.get("comment", "").strip()[:2000]
    try:
        if verdict not in Decision.Verdict.values:
            raise Invalid([Problem("verdict", "Press either Approve or Reject.")])
        if found.state == RequestState.OPEN:
            nonce.check(request, found)
        services.decide(
            person(request), request_id, verdict, comment, request.POST.get("plan_digest", "")
        )
    except (Invalid, Conflict) as error:
        found = get_request(person(request), request_id)
        context = {**_context(request, found), "error": error, "comment": comment}
        return render(request, "approvals/detail.html", context, status=error.status)
    return redirect("approval", request_id)


@requires(Action.DECIDE, "POST")
def renew(request: HttpRequest, request_id: str) -> HttpResponse:
    """Ask anew, where what would run has changed."""
    anew = services.renew(person(request), request_id)
    return redirect("approval", anew.pk)


def _context(request: HttpRequest, found: ApprovalRequest) -> dict[str, object]:
    scene = look(found.execution_id)
    found = next(one for one in scene.requests if one.pk == found.pk)
    return {
        "review": review(person(request), found, scene),
        "nonce": nonce.make(request, found),
        "scene": scene,
        "execution": scene.execution,
        "controls_url": reverse("approval", args=[found.pk]),
        "icon_path": icon_path(scene),
    }
