"""Trying a document out: how the portal understands it, and its annotated form. Nothing is kept."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cvdops.access.catalog import source
from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.catalog import confined
from cvdops.lib.errors import Invalid
from cvdops.lib.visible import visible
from cvdops.web.catalog.comparison import compare
from cvdops.web.catalog.given import Given, given
from cvdops.web.catalog.understood import understood


@requires(Action.USE_PORTAL, "GET", "POST")
def import_document(request: HttpRequest) -> HttpResponse:
    context: dict[str, object] = {"source": source(person(request))}
    if request.method != "POST":
        return render(request, "catalog/import.html", context)
    try:
        document = given(request.POST, request.FILES)
    except Invalid as error:
        context |= {"problem": str(error), "text": request.POST.get("text", "")}
        return render(request, "catalog/import.html", context, status=422)
    return _answer(request, document, context)


def _answer(request: HttpRequest, document: Given, context: dict[str, object]) -> HttpResponse:
    study = confined.read(document.content, document.name, annotated=True)
    show = request.POST.get("show")
    if show == "download" and study.annotated:
        return _download(study.runbook.id, study.annotated)
    context |= {
        "given": document,
        "text": document.text,
        "annotated": study.annotated,
        "understood": understood(study),
    }
    if show == "annotated" and study.annotated:
        context |= {
            "annotated_text": visible(study.annotated),
            "comparison": compare(document.text, study.annotated),
        }
        return render(request, "catalog/annotated.html", context)
    return render(request, "catalog/understood.html", context)


def _download(runbook_id: str, text: str) -> HttpResponse:
    # The id is a slug: lower case letters, digits and hyphens.
    response = HttpResponse(text, content_type="text/markdown; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{runbook_id}.md"'
    return response
