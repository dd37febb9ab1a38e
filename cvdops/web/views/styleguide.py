"""The parts of the design on one page, for those who build pages. Not in production."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cvdops.access.marks import requires
from cvdops.access.policy import Action
from cvdops.environments.models import Environment
from cvdops.executions.states import EXECUTION_LOOKS, STEP_LOOKS
from cvdops.lib.errors import Reason


@requires(Action.PUBLIC)
def styleguide(request: HttpRequest) -> HttpResponse:
    context = {
        "execution_looks": EXECUTION_LOOKS.values(),
        "step_looks": STEP_LOOKS.values(),
        "environments": [
            Environment(slug="development"),
            Environment(slug="production", protected=True),
        ],
        "reasons": [
            Reason("example", "This needs Execute on deployment; you have Review.", "Ask.")
        ],
        "script": 'sudo systemctl stop ${SERVICE_NAME}\ncp "$DATABASE_PATH" /tmp/',
    }
    return render(request, "styleguide.html", context)
