"""The forms of the portal: what arrives, as clean values."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict

from cvdops.access.tokens import LONGEST as LONGEST_DAYS
from cvdops.access.tokens import Scope
from cvdops.accounts.passwords import LONGEST
from cvdops.catalog.models import Group
from cvdops.executions.history import Places, Wanted
from cvdops.executions.states import EXECUTION_LOOKS
from cvdops.lib.errors import Invalid, Problem
from cvdops.lib.moments import midnight
from cvdops.spec.document import Category

_ANY = [("", "Any")]
SHOWN = 80  # characters of what was not taken
# The filters of the history that are texts, named as in `Wanted`.
_TEXTS = (
    *("q", "output", "runbook", "environment", "state", "person"),
    *("procedure", "host", "variable", "value"),
)


class LoginForm(forms.Form):
    """User name and password. Unknown name, wrong password and closed account get the same answer."""

    username = forms.CharField(
        label="User name",
        max_length=80,
        widget=forms.TextInput({"class": "input", "autofocus": True, "autocomplete": "username"}),
    )
    password = forms.CharField(
        strip=False,
        max_length=LONGEST,
        widget=forms.PasswordInput({"class": "input", "autocomplete": "current-password"}),
    )


class PersonForm(forms.Form):
    """An account to be opened."""

    username = forms.CharField(
        label="User name",
        max_length=80,
        help_text="What they log in with: a-z, 0-9, dot, dash. It is never changed.",
        widget=forms.TextInput({"class": "input", "autocomplete": "off", "autocapitalize": "none"}),
    )
    name = forms.CharField(label="Name", max_length=120, widget=forms.TextInput({"class": "input"}))
    email = forms.CharField(
        label="E-mail", max_length=254, required=False, widget=forms.EmailInput({"class": "input"})
    )
    same_as = forms.CharField(
        label="Another account of the same person",
        max_length=80,
        required=False,
        help_text="Its user name. Nobody approves with one account what they asked for with the other.",
        widget=forms.TextInput({"class": "input", "autocomplete": "off"}),
    )
    service = forms.BooleanField(
        label="A service account: programs act as it, and nobody logs in with it", required=False
    )


class TokenForm(forms.Form):
    """A token for a program of one's own."""

    name = forms.CharField(
        label="What it is for", max_length=80, widget=forms.TextInput({"class": "input"})
    )
    scopes = forms.MultipleChoiceField(
        label="It may",
        choices=[
            (Scope.READ.value, "read what you may read"),
            (Scope.RUN.value, "start and control executions"),
            (Scope.APPROVE.value, "decide on approvals, review versions"),
            (Scope.ADMINISTER.value, "change rights, accounts, environments, windows (90 days)"),
        ],
        initial=[Scope.READ.value],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.IntegerField(
        label="For how many days",
        initial=30,
        min_value=1,
        max_value=LONGEST_DAYS,
        widget=forms.NumberInput({"class": "input"}),
    )


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A value of a filter that was not taken, and why, as a sentence."""

    name: str
    value: str
    why: str


class Filter(forms.Form):
    """The filters above a list. What cannot be read counts as not given, and the page says so."""

    template_name = "_filter.html"

    def __init__(self, data: QueryDict, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.given = data
        for field in self.fields.values():
            field.required = False
            field.widget.attrs["class"] = "input"
            if isinstance(field, forms.ChoiceField):
                field.error_messages["invalid_choice"] = "There is no such choice."

    def values(self) -> dict[str, Any]:
        """Field → value, for those that were given and could be read."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value not in ("", None)}

    def left_out(self) -> list[LeftOut]:
        """What was asked for and is not looked at, so that nobody takes what is shown for what fits it."""
        return [
            LeftOut(str(self[name].label) if name in self.fields else name, value[:SHOWN], why)
            for name, values in self.given.lists()
            for value, why in self._not_taken(name, [one for one in values if one.strip()])
        ]

    def enforce(self) -> None:
        """For a file, which does not show that something was left out. Raises Invalid."""
        if found := self.left_out():
            raise Invalid(
                [Problem(one.name, f"{one.name} {one.value}: {one.why}") for one in found]
            )

    def _not_taken(self, name: str, values: list[str]) -> Iterator[tuple[str, str]]:
        if name not in self.fields:
            yield from ((value, "No filter is called so.") for value in values)
            return
        for value in dict.fromkeys(values[:-1]):
            if value != values[-1]:
                yield value, "It was given more than once, and the last one counts."
        for why in self.errors.get(name, []):
            yield self.given.get(name, ""), str(why)


def _date() -> forms.DateField:
    return forms.DateField(
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "This is no day. Write it like 2026-11-27."},
    )


class CatalogFilter(Filter):
    q = forms.CharField(label="Search", max_length=100, widget=forms.TextInput({"type": "search"}))
    category = forms.ChoiceField(choices=_ANY + [(c.value, c.value) for c in Category])
    group = forms.ChoiceField(choices=_ANY + list(Group.choices))


class HistoryFilter(Filter):
    """`more` are the fields that are asked for less often."""

    more = ("procedure", "host", "variable", "value", "emergency")

    q = forms.CharField(
        label="Reason, runbook or number",
        max_length=200,
        widget=forms.TextInput({"type": "search"}),
    )
    output = forms.CharField(
        label="Words in the output",
        max_length=200,
        widget=forms.TextInput({"type": "search"}),
        help_text="Words in the output: each has to stand there as you type it, signs too, in any case and "
        "order. In double quotes: these words in a row. Nothing else has a meaning.",
    )
    runbook = forms.ChoiceField()
    environment = forms.ChoiceField()
    state = forms.ChoiceField(
        choices=_ANY + [(state, look.label) for state, look in EXECUTION_LOOKS.items()]
    )
    person = forms.CharField(
        label="Asked for by", max_length=80, widget=forms.TextInput({"placeholder": "user name"})
    )
    since = _date()
    until = _date()
    procedure = forms.CharField(max_length=120)
    host = forms.CharField(max_length=63)
    variable = forms.CharField(label="Variable (name)", max_length=80)
    value = forms.CharField(label="Its value", max_length=1000)
    emergency = forms.ChoiceField(
        label="Emergencies", choices=[("", "With others"), ("yes", "Only these")]
    )
    before = forms.CharField(max_length=80, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict, known: Places) -> None:
        super().__init__(data)
        self._offer("runbook", list(known.runbooks.items()))
        self._offer("environment", [(slug, slug) for slug in known.environments])

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if cleaned.get("value") and not cleaned.get("variable"):
            self.add_error("value", "Name the variable, too.")
        return cleaned

    @property
    def usual(self) -> list[forms.BoundField]:
        return [one for one in self.visible_fields() if one.name not in self.more]

    @property
    def unusual(self) -> list[forms.BoundField]:
        return [one for one in self.visible_fields() if one.name in self.more]

    def wanted(self) -> Wanted:
        """What is looked for; days are those of UTC, the last one with all of it."""
        given = self.values()
        return Wanted(
            **{name: given[name] for name in _TEXTS if name in given},
            emergency="emergency" in given,
            since=midnight(given["since"], 0) if "since" in given else None,
            until=midnight(given["until"], 1) if "until" in given else None,
        )

    def query(self) -> str:
        """The address of the list with these filters, from its first page on."""
        given = self.values()
        return urlencode(
            [(name, str(given[name])) for name in self.fields if name in given and name != "before"]
        )

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = _ANY + choices


def name_in(given: QueryDict) -> str:
    """The user name in it, if it could be one: it is looked up with what the form offers."""
    name = given.get("person", "").strip()
    return name if name.isprintable() and len(name) <= 80 else ""


class AuditFilter(Filter):
    action = forms.CharField(max_length=60)
    person = forms.CharField(max_length=80)
    subject = forms.CharField(label="About", max_length=80)
    address = forms.GenericIPAddressField(label="From address")
    allowed = forms.ChoiceField(label="Answer", choices=[*_ANY, ("yes", "Done"), ("no", "Refused")])
    since = _date()
    until = _date()
    before = forms.IntegerField(min_value=1, max_value=2**62, widget=forms.HiddenInput)
