"""Triggers: by which other systems ask for executions, and what they have delivered."""

import re
from collections.abc import Mapping, Sequence

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from cvdops.access.catalog import visible_runbooks
from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.accounts.models import User
from cvdops.environments.models import Environment
from cvdops.executions import triggers as verbs
from cvdops.executions.models import Trigger
from cvdops.lib.errors import Invalid, Problem
from cvdops.web.fresh import fresh
from cvdops.web.policies import Typed

SHOWN = 50  # deliveries
_LINE = re.compile(r"\s*(\w+)\s*=\s*(\S*)\s*")


class TriggerForm(Typed):
    """A trigger as it is typed."""

    name = forms.CharField(max_length=80, help_text="As reasons and the audit log name it.")
    runbook = forms.ChoiceField()
    procedure = forms.CharField(
        max_length=120, required=False, help_text="Needed where the runbook has several."
    )
    environment = forms.ChoiceField()
    account = forms.ChoiceField(
        label="Acts as",
        help_text="A service account, with the roles and certification that it has been given.",
    )
    mapping = forms.CharField(
        label="Variables from the payload",
        required=False,
        max_length=10_000,
        widget=forms.Textarea({"rows": 3}),
        help_text="One on each line: TARGET_VERSION = /release/tag. The place is a JSON pointer.",
    )

    def __init__(self, user: User, data: Mapping[str, object] | None = None) -> None:
        super().__init__(data)
        runbooks = visible_runbooks(user).filter(removed_at=None).order_by("title")
        self._offer("runbook", list(runbooks.values_list("pk", "title")))
        self._offer("environment", list(Environment.objects.values_list("slug", "name")))
        self._offer("account", list(verbs.service_accounts().values_list("username", "name")))

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = choices

    def wanted(self) -> verbs.Wanted:
        """What it asks for; only of a valid form. Raises Invalid."""
        typed = self.cleaned_data
        lines = [line for line in typed["mapping"].splitlines() if line.strip()]
        found = [_LINE.fullmatch(line) for line in lines]
        if not all(found):
            text = "Write each line as VARIABLE = /place/in/the/payload."
            raise Invalid([Problem("mapping", text)])
        mapping = {match[1]: match[2] for match in found if match}
        return verbs.Wanted(**{**typed, "mapping": mapping})


@requires(Action.EDIT_TRIGGERS, "GET", "POST")
@fresh
def triggers(request: HttpRequest) -> HttpResponse:
    user = person(request)
    if request.method != "POST":
        return _list(request, TriggerForm(user))
    form = TriggerForm(user, request.POST)
    try:
        if problems := form.problems():
            raise Invalid(problems)
        made, secret = verbs.create(user, form.wanted())
    except Invalid as error:
        return _list(request, form, error.problems)
    return _one(request, made, secret)


@requires(Action.EDIT_TRIGGERS)
def trigger(request: HttpRequest, trigger_id: str) -> HttpResponse:
    return _one(request, verbs.named(person(request), trigger_id))


@requires(Action.EDIT_TRIGGERS, "POST")
@fresh
def rotate(request: HttpRequest, trigger_id: str) -> HttpResponse:
    return _one(request, *verbs.rotate(person(request), trigger_id))


@requires(Action.EDIT_TRIGGERS, "POST")
def disable(request: HttpRequest, trigger_id: str) -> HttpResponse:
    verbs.disable(person(request), trigger_id)
    return redirect("trigger", trigger_id)


@requires(Action.EDIT_TRIGGERS, "POST")
@fresh
def enable(request: HttpRequest, trigger_id: str) -> HttpResponse:
    verbs.enable(person(request), trigger_id)
    return redirect("trigger", trigger_id)


def _list(
    request: HttpRequest, form: TriggerForm, problems: Sequence[Problem] = ()
) -> HttpResponse:
    context = {
        "triggers": verbs.all_of_them(person(request)),
        "fields": [(f, [p.message for p in problems if p.field == f.name]) for f in form],
        "accounts": verbs.service_accounts().exists(),
    }
    return render(request, "triggers/list.html", context, status=422 if problems else 200)


def _one(request: HttpRequest, found: Trigger, secret: str = "") -> HttpResponse:
    context = {
        "trigger": found,
        "secret": secret,
        "against": verbs.against(found),
        "address": request.build_absolute_uri(reverse("api-deliver", args=[found.pk])),
        "deliveries": found.deliveries.select_related("execution")[:SHOWN],
    }
    return render(request, "triggers/one.html", context)
