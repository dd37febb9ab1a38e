"""The form of a window or freeze, and how a calendar is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.db.models.functions import Now

from cvdops.changes.kind import Value
from cvdops.changes.models import Change, ChangeState
from cvdops.changes.periods import key, value
from cvdops.environments import calendar
from cvdops.environments.models import Environment, Period
from cvdops.environments.repetition import Repetition, chosen, rule, words
from cvdops.environments.schedule import Calendar, Recurrence, Span, State, openings, state
from cvdops.lib.errors import Problem
from cvdops.lib.together import Fixed, attach

COMING = 6  # times that a page shows
_TIME = "%Y-%m-%dT%H:%M"


def moment(label: str, hint: str = "") -> forms.DateTimeField:
    widget = forms.DateTimeInput({"type": "datetime-local"}, format=_TIME)
    return forms.DateTimeField(label=label, widget=widget, input_formats=[_TIME], help_text=hint)


class PeriodForm(forms.Form):
    """A window or freeze as it is typed. What it may be is decided by the kind of change."""

    name = forms.CharField(max_length=80, help_text="As refusals name it.")
    starts_at = moment("Begins (UTC)", "Its first time. The days of the others follow from it.")
    ends_at = moment("Ends (UTC)", "The end of its first time.")
    repetition = forms.ChoiceField(
        label="Comes again", choices=[(r.value, r.label) for r in Repetition]
    )
    last = forms.DateField(
        label="Last day",
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text="Of what comes again. Empty: for ever.",
    )
    reason = forms.CharField(max_length=2000, widget=forms.Textarea({"rows": 2}))

    def __init__(self, period: Period | None, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial=_initial(period) if period else None)
        if period:
            name = self.fields["name"]
            name.widget.attrs["readonly"] = True
            name.help_text = "It keeps its name, by which refusals and its history know it."
        for field in self.fields.values():
            field.widget.attrs |= {"class": "input", "autocomplete": "off"}

    def clean_name(self) -> str:
        """That of a period which there is stays, whatever was sent."""
        return str(self.initial.get("name", self.cleaned_data["name"]))

    def change(self, environment: Environment) -> tuple[str, Value]:
        """The key and the new value of the change that it asks for; only of a valid form."""
        typed = self.cleaned_data
        start, end = typed["starts_at"], typed["ends_at"]
        again = rule(Repetition(typed["repetition"]), start, typed["last"])
        name = " ".join(typed["name"].split())
        return key(environment.slug, name), value(Recurrence(name, start, end - start, again))

    def problems(self) -> list[Problem]:
        """What cannot be read."""
        self.is_valid()
        return [
            Problem(field, str(message))
            for field, messages in self.errors.items()
            for message in messages
        ]


def _initial(period: Period) -> dict[str, object]:
    found = chosen(period.rule, period.starts_at.astimezone(UTC))
    return {
        "name": period.name,
        "starts_at": period.starts_at,
        "ends_at": period.starts_at + timedelta(minutes=period.minutes),
        "repetition": found.repetition.value if found else Repetition.ONCE.value,
        "last": found.last if found else None,
    }


@dataclass(frozen=True, slots=True)
class Entry:
    """A window or freeze in words."""

    period: Period
    words: str


@dataclass(frozen=True, slots=True)
class Shown:
    """The calendar of an environment as its page shows it."""

    state: State
    windows: tuple[Entry, ...]
    freezes: tuple[Entry, ...]
    coming: tuple[Span, ...]  # when it may be changed next; the first may have begun
    proposed: Sequence[Change]


def standings() -> list[tuple[Environment, State]]:
    """Every environment with how it stands now."""
    found = everywhere()
    attach(found, "periods", every(), "environment_id")
    return [(e, state(calendar.calendar_of(e.periods.all()), e.now)) for e in found]


@Fixed
def everywhere() -> QuerySet[Any]:
    """Every environment, with the time of the database as its `now`."""
    return Environment.objects.annotate(now=Now())


@Fixed
def every() -> QuerySet[Period]:
    """The windows and freezes of all of them."""
    return Period.objects.all()


def shown(environment: Environment) -> Shown:
    periods = list(environment.periods.all())
    entries = [Entry(p, words(p.recurrence)) for p in periods]
    of, now = calendar.calendar_of(periods), calendar.now()
    return Shown(
        state=state(of, now),
        windows=tuple(e for e in entries if e.period.kind == Period.Kind.WINDOW),
        freezes=tuple(e for e in entries if e.period.kind == Period.Kind.FREEZE),
        coming=tuple(_coming(of, now)) if of.windows else (),
        proposed=list(
            Change.objects.filter(
                kind__in=Period.Kind.values,
                key__startswith=f"{environment.slug}/",
                state=ChangeState.PROPOSED,
            ).select_related("proposed_by")
        ),
    )


def _coming(of: Calendar, now: datetime) -> list[Span]:
    found: list[Span] = []
    for span in openings(of, now):
        if span.end > now:
            found.append(span)
        if len(found) == COMING:
            break
    return found
