"""What the mission measures, over a period: success, time to complete, time to recovery, freshness."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.executions.metrics import PERIODS, SUCCESS_TARGET
from cvdops.executions.metrics import metrics as figures


@requires(Action.USE_PORTAL)
def metrics(request: HttpRequest) -> HttpResponse:
    wanted = request.GET.get("days", "")
    days = next((n for n in PERIODS if str(n) == wanted), PERIODS[0])
    context = {
        "metrics": figures(person(request), days),
        "periods": PERIODS,
        "target": SUCCESS_TARGET,
    }
    return render(request, "metrics.html", context)
