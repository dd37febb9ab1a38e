"""Who decides for whom: what a person has given and received, a form for another one, and the end of one."""

from collections.abc import Mapping

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from cvdops.access import delegations as verbs
from cvdops.access.marks import person, requires
from cvdops.access.models import Delegation
from cvdops.access.policy import Action
from cvdops.accounts.models import User
from cvdops.environments.calendar import now
from cvdops.lib.errors import Conflict, Invalid, Problem, UserError
from cvdops.web.periods import moment
from cvdops.web.policies import Typed


class DelegationForm(Typed):
    receiver = forms.ChoiceField(label="Who")
    since = moment("From (UTC)", "Empty: from now on.")
    until = moment("Until (UTC)")
    reason = forms.CharField(max_length=200, label="Why")

    def __init__(self, giver: User, data: Mapping[str, object] | None = None) -> None:
        super().__init__(data)
        self.fields["since"].required = False
        others = User.objects.filter(is_active=True).exclude(person=giver.person).order_by("name")
        field = self.fields["receiver"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [(user.username, user.name) for user in others]


@requires(Action.DELEGATE, "GET", "POST")
def delegations(request: HttpRequest) -> HttpResponse:
    giver = person(request)
    if request.method != "POST":
        return _page(request, DelegationForm(giver))
    form = DelegationForm(giver, request.POST)
    try:
        if problems := form.problems():
            raise Invalid(problems)
        typed = form.cleaned_data
        verbs.delegate(giver, typed["receiver"], typed["until"], typed["reason"], typed["since"])
    except (Invalid, Conflict) as error:
        return _page(request, form, error)
    return redirect("delegations")


@requires(Action.DELEGATE, "POST")
def end(request: HttpRequest, pk: int) -> HttpResponse:
    verbs.end(person(request), pk)
    return redirect("delegations")


def _page(
    request: HttpRequest, form: DelegationForm, error: UserError | None = None
) -> HttpResponse:
    problems: tuple[Problem, ...] = error.problems if isinstance(error, Invalid) else ()
    standing = Delegation.objects.filter(ended_at=None, ends_at__gt=now())
    standing = standing.select_related("giver", "receiver").order_by("starts_at")
    user = person(request)
    context = {
        "lists": [
            ("They decide for you", standing.filter(giver=user)),
            ("You decide for them", standing.filter(receiver=user)),
        ],
        "fields": [(f, [p.message for p in problems if p.field == f.name]) for f in form],
        "error": error,
    }
    status = error.status if error else 200
    return render(request, "approvals/delegations.html", context, status=status)
