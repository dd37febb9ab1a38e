"""What an execution proves, on one page for printing or as a PDF."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.catalog.models import VersionReview
from cvdops.executions.models import ChecklistMark, Participant, StepAttempt, StepRun
from cvdops.executions.states import UNHEARD
from cvdops.lib.together import attach, together
from cvdops.live import timeline
from cvdops.live.answers import WITHHELD, kept_answers, reads_answers
from cvdops.live.guard import standing
from cvdops.web.live.look import look

_MOMENTS = list(ChecklistMark.Moment.values)


@requires(Action.READ_EXECUTION)
def evidence(request: HttpRequest, execution_id: str) -> HttpResponse:
    """Who, what, which version, who agreed, what was ticked off, what happened, how output was."""
    user = person(request)
    found = standing(user, execution_id)
    scene = look(found.execution)
    execution = scene.execution
    answers = reads_answers(user, found.matter)
    hidden = frozenset() if answers else kept_answers(scene.plan)
    steps, attempts, participants, reviews, events = together(
        StepRun.objects.filter(execution=execution).order_by("phase", "position", "lane"),
        StepAttempt.objects.filter(step__execution=execution).order_by("number"),
        Participant.objects.filter(execution=execution).select_related("user"),
        VersionReview.objects.filter(version=execution.version_id).select_related("reviewer"),
        timeline.every(execution.pk),
    )
    attach(steps, "attempts", attempts, "step_id")
    context = {
        "scene": scene,
        "execution": execution,
        "steps": steps,
        "answers": answers,
        "withheld": WITHHELD,
        "people": timeline.people(participants, events),
        "reviews": reviews,
        "variables": [
            (name, WITHHELD if name in hidden else value)
            for name, value in sorted(execution.variables.items())
        ],
        "marks": sorted(scene.marks, key=lambda mark: _MOMENTS.index(mark.moment)),
        "timeline": timeline.lines(events),
        "cut": len(events) == timeline.EVIDENCE,
        "printed_at": timezone.now(),
        "look": UNHEARD if scene.lost_worker else execution.look,
    }
    return render(request, "history/evidence.html", context)
