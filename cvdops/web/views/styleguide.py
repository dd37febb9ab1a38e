"""The parts of the design on one page, for those who build pages. Not in production."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cvdops.access.marks import requires
from cvdops.access.policy import Action
from cvdops.environments.models import Environment
from cvdops.executions.inputs import Input
from cvdops.executions.states import EXECUTION_LOOKS, STEP_LOOKS, ExecutionState
from cvdops.lib.errors import Reason
from cvdops.web.finding import Hit

TONES = ("ok", "run", "wait", "bad", "none")
COLOURS = (
    *(
        "canvas",
        "surface",
        "sunken",
        "line",
        "line-strong",
        "ink",
        "ink-soft",
        "accent",
        "accent-bg",
    ),
    *(name for tone in TONES[:4] for name in (tone, f"{tone}-bg")),
)
SCRIPT = 'sudo systemctl stop ${SERVICE_NAME}\ncp "$DATABASE_PATH" /tmp/'
VALUES = (
    Input("SERVICE_NAME", "cvd", fixed=True),
    Input("DATABASE_PATH", "/opt/cvd/data/cvd.db", fixed=True),
)
PROSE = "Stops the service, so that nobody writes:\n\n* it answers `503` meanwhile,\n* about **a minute**.\n"


@requires(Action.PUBLIC)
def styleguide(request: HttpRequest) -> HttpResponse:
    looks = EXECUTION_LOOKS[ExecutionState.SUCCEEDED]
    context = {
        "colours": COLOURS,
        "tones": TONES,
        "execution_looks": EXECUTION_LOOKS.values(),
        "step_looks": STEP_LOOKS.values(),
        "environments": [
            Environment(slug="development"),
            Environment(slug="production", protected=True),
        ],
        "reasons": [
            Reason("example", "This needs Execute on deployment; you have Review.", "Ask.")
        ],
        "script": SCRIPT,
        "values": VALUES,
        "prose": PROSE,
        "hits": [
            Hit("Deployment", "#content", "book-open", "Execute"),
            Hit("#1042 Deployment", "#content", looks.icon, "development", looks),
        ],
    }
    return render(request, "styleguide.html", context)
