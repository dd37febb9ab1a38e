"""What is wrong with the installation, for administrators: the last look of `doctor` on each machine."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.doctor import kept
from cvdops.doctor.finding import State
from cvdops.doctor.models import Examination
from cvdops.executions.states import Look

LOOKS = {
    State.OK: Look("Good", "check", "ok"),
    State.WARNING: Look("Warning", "triangle-alert", "wait"),
    State.WRONG: Look("Wrong", "x", "bad"),
}
_ORDER = (State.WRONG, State.WARNING, State.OK)


@dataclass(frozen=True, slots=True)
class Looked:
    """A machine and what was found there, the worst first."""

    examination: Examination
    under_way: bool
    findings: tuple[tuple[Look, dict[str, Any]], ...]

    @property
    def worst(self) -> Look | None:
        return self.findings[0][0] if self.findings else None


@requires(Action.EXAMINE, "GET", "POST")
def doctor(request: HttpRequest) -> HttpResponse:
    """The page never looks itself: it shows what was found and when. POST has it looked at anew."""
    if request.method == "POST":
        kept.ask(person(request))
        if not request.headers.get("HX-Request"):
            return redirect("doctor")
    machines = [_looked(one, under_way=now) for one, now in kept.examinations()]
    context = {
        "machines": machines,
        "under_way": any(one.under_way for one in machines),
        "here": kept.machine(),
    }
    fragment = bool(request.headers.get("HX-Request"))
    return render(request, "doctor.html#looks" if fragment else "doctor.html", context)


def _looked(one: Examination, *, under_way: bool) -> Looked:
    findings = sorted(one.findings, key=lambda found: _ORDER.index(State(found["state"])))
    return Looked(one, under_way, tuple((LOOKS[State(f["state"])], f) for f in findings))
