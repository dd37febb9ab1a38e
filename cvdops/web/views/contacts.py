"""Whom to reach: the escalation chain, specialised contacts, channels; and changing them."""

from collections.abc import Mapping

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action, can
from cvdops.changes import contacts as book
from cvdops.changes.contacts import Wanted
from cvdops.environments.models import Contact
from cvdops.executions import routines
from cvdops.lib.errors import Conflict, Invalid, NotFound, UserError

_HINTS: Mapping[str, str] = {
    Contact.Kind.ESCALATION: "An e-mail address. Whoever has it, or holds the role of this name, is also "
    "told in the portal.",
    Contact.Kind.SPECIALIST: "An e-mail address.",
    Contact.Kind.CHANNEL: "What people look for, or a link that begins with https://.",
}


class ContactForm(forms.Form):
    """What is typed; what it may be is decided by the verb."""

    name = forms.CharField(max_length=80)
    address = forms.CharField(max_length=200)
    note = forms.CharField(max_length=200, required=False)
    place = forms.IntegerField(min_value=1, max_value=book.MOST, help_text="In its list, from 1.")

    def __init__(self, kind: str, data: object = None, initial: object = None) -> None:
        super().__init__(data, initial=initial)  # type: ignore[arg-type]
        self.fields["address"].help_text = _HINTS.get(kind, "")
        for field in self.fields.values():
            field.widget.attrs |= {"class": "input", "autocomplete": "off"}


@requires(Action.USE_PORTAL)
def contacts(request: HttpRequest) -> HttpResponse:
    found = list(Contact.objects.select_related("confirmed_by"))
    context = {
        "kinds": [(kind, [c for c in found if c.kind == kind]) for kind in Contact.Kind],
        "edit": can(person(request), Action.EDIT_CONTACTS),
        "routine": next(
            one for one in routines.standings() if one.routine.key == routines.CONTACTS
        ),
    }
    return render(request, "contacts/list.html", context)


@requires(Action.EDIT_CONTACTS, "GET", "POST")
def add(request: HttpRequest, kind: str) -> HttpResponse:
    if kind not in Contact.Kind.values:
        raise NotFound("kind of contact")
    last = Contact.objects.filter(kind=kind).count() + 1
    return _form(request, Wanted(kind, "", "", place=last))


@requires(Action.EDIT_CONTACTS, "GET", "POST")
def change(request: HttpRequest, pk: int) -> HttpResponse:
    return _form(request, Wanted.of(book.named(pk)), pk)


@requires(Action.EDIT_CONTACTS, "POST")
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    gone = book.remove(person(request), pk)
    messages.success(request, f"{gone.name} is taken away.")
    return redirect("contacts")


def _form(request: HttpRequest, known: Wanted, pk: int | None = None) -> HttpResponse:
    """The form of one of them; what is typed is kept when it cannot be."""
    typed = ("name", "address", "note", "place")
    initial = {name: getattr(known, name) for name in typed}
    form = ContactForm(known.kind, request.POST or None, initial)
    problems: dict[str, list[str]] = {}
    error: UserError | None = None
    if request.method == "POST":
        if form.is_valid():
            said = form.cleaned_data
            try:
                wanted = Wanted(known.kind, **{name: said[name] for name in typed})
                made = book.write(person(request), wanted, pk, request.POST.get("seen", ""))
            except (Invalid, Conflict) as refused:
                error = refused
            else:
                messages.success(request, f"{made.name} is written down.")
                return redirect("contacts")
        else:
            error = Invalid([])
        problems = {name: [str(text) for text in texts] for name, texts in form.errors.items()}
        for problem in error.problems if isinstance(error, Invalid) else ():
            problems.setdefault(problem.field, []).append(problem.message)
    context = {
        "known": known,
        "kind": Contact.Kind(known.kind),
        "pk": pk,
        "seen": known.mark,
        "fields": [(field, problems.get(field.name, [])) for field in form],
        "error": error,
    }
    return render(request, "contacts/form.html", context, status=error.status if error else 200)
