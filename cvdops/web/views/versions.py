"""The versions of a runbook: all of them, two side by side, and that one was reviewed."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from cvdops.access.catalog import get_runbook
from cvdops.access.marks import person, requires
from cvdops.access.policy import Action, Matter, can
from cvdops.catalog.models import Runbook, RunbookVersion
from cvdops.catalog.queries import document
from cvdops.catalog.reviews import review as record_review
from cvdops.web.catalog import documents
from cvdops.web.catalog.comparison import compare as compare_texts
from cvdops.web.catalog.structure import differences
from cvdops.web.catalog.versions import of, version_of, with_reviews
from cvdops.web.views.runbook import may_start

PAGE = 50


@requires(Action.READ_RUNBOOK)
def versions(request: HttpRequest, runbook_id: str) -> HttpResponse:
    user = person(request)
    found = get_runbook(user, runbook_id)
    page = Paginator(with_reviews(found), PAGE).get_page(request.GET.get("page"))
    context = {"runbook": found, "page": page, "start": may_start(user, found)}
    return render(request, "catalog/versions.html", context)


@requires(Action.READ_RUNBOOK)
def compare(request: HttpRequest, runbook_id: str) -> HttpResponse:
    """Two versions side by side; the two newest, if none are named."""
    found = get_runbook(person(request), runbook_id)
    new = version_of(found, request.GET.get("to"))
    old = _earlier(found, new, request.GET.get("from"))
    context = {
        "runbook": found,
        "old": old,
        "new": new,
        "structure": differences(document(old), document(new)),
        "comparison": compare_texts(documents.source(old), documents.source(new)),
        "sides": (("from", old.number), ("to", new.number)),
        "old_name": f"no. {old.number}",
        "new_name": f"no. {new.number}",
        "versions": of(found).only("number", "label", "runbook")[:PAGE],
    }
    return render(request, "catalog/compare.html", context)


def _earlier(runbook: Runbook, new: RunbookVersion, number: str | None) -> RunbookVersion:
    """The version asked for, else the one before the other; that one itself, if it is the first."""
    if number is not None:
        return version_of(runbook, number)
    return of(runbook).filter(number__lt=new.number).first() or new


@requires(Action.REVIEW_RUNBOOK, "POST")
def review(request: HttpRequest, runbook_id: str, number: int) -> HttpResponse:
    user = person(request)
    found = get_runbook(user, runbook_id)
    version = version_of(found, str(number))
    can(user, Action.REVIEW_RUNBOOK, Matter(found.category)).enforce()
    record_review(user, version, request.POST.get("comment", ""))
    messages.success(request, "Recorded: you have reviewed this version and found it right.")
    return redirect(f"{reverse('runbook', args=[found.pk])}?version={version.number}#reviews")
