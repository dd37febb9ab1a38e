"""Holds: what starts are refused now, why, by whom, until when; setting and lifting them."""

from collections.abc import Sequence

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from cvdops.access.catalog import visible_runbooks
from cvdops.access.marks import person, requires
from cvdops.access.policy import Action, can
from cvdops.environments.models import Environment
from cvdops.executions import holding
from cvdops.lib.errors import Invalid, Problem
from cvdops.web.periods import moment

EVERYTHING = "everything"


class HoldForm(forms.Form):
    """A hold as it is typed."""

    on = forms.ChoiceField(label="On")
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea({"rows": 2}),
        help_text="Everybody reads it on every page.",
    )
    until = moment("Until (UTC)", "It ends by itself then; it can be lifted before.")

    def __init__(self, choices: Sequence[tuple[str, str]], data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        on = self.fields["on"]
        if isinstance(on, forms.ChoiceField):
            on.choices = choices
        for field in self.fields.values():
            field.widget.attrs |= {"class": "input", "autocomplete": "off"}


@requires(Action.READ_ENVIRONMENTS)
def holds(request: HttpRequest) -> HttpResponse:
    return _page(request)


@requires(Action.HOLD, "POST")
def set_hold(request: HttpRequest) -> HttpResponse:
    form = HoldForm(_choices(request), request.POST)
    if not form.is_valid():
        return _page(
            request,
            [Problem(f, str(text)) for f, texts in form.errors.items() for text in texts],
        )
    kind, _, name = form.cleaned_data["on"].partition(":")
    try:
        made = holding.hold(
            person(request),
            environment=name if kind == "environment" else "",
            runbook=name if kind == "runbook" else "",
            reason=form.cleaned_data["reason"],
            until=form.cleaned_data["until"],
        )
    except Invalid as error:
        return _page(request, error.problems)
    messages.success(request, f"Nothing new starts: there is a hold on {made.what}.")
    return redirect("holds")


@requires(Action.HOLD, "POST")
def lift(request: HttpRequest, pk: int) -> HttpResponse:
    lifted = holding.lift(person(request), pk)
    messages.success(request, f"The hold on {lifted.what} is lifted.")
    return redirect("holds")


def _choices(request: HttpRequest) -> list[tuple[str, str]]:
    environments = Environment.objects.values_list("slug", flat=True)
    runbooks = visible_runbooks(person(request)).values_list("pk", "title")
    return [
        *((f"environment:{slug}", slug) for slug in environments),
        *((f"runbook:{pk}", title) for pk, title in runbooks),
        (EVERYTHING, "Everything"),
    ]


def _page(request: HttpRequest, problems: Sequence[Problem] = ()) -> HttpResponse:
    form = HoldForm(_choices(request), request.POST if problems else None)
    context = {
        "fields": [(f, [p.message for p in problems if p.field == f.name]) for f in form],
        "may_hold": can(person(request), Action.HOLD),
    }
    return render(request, "holds.html", context, status=422 if problems else 200)
