"""Who takes part in an execution: join, leave, hand it over."""

from django.http import HttpRequest, HttpResponse

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.executions import services
from cvdops.web.views.verbs import answer, comment


@requires(Action.READ_EXECUTION, "POST")
def join(request: HttpRequest, execution_id: str) -> HttpResponse:
    services.join(person(request), execution_id, request.POST.get("part", ""))
    return answer(request, execution_id)


@requires(Action.READ_EXECUTION, "POST")
def leave(request: HttpRequest, execution_id: str) -> HttpResponse:
    services.leave(person(request), execution_id)
    return answer(request, execution_id)


@requires(Action.HAND_OVER, "POST")
def hand_over(request: HttpRequest, execution_id: str) -> HttpResponse:
    username = request.POST.get("username", "")
    services.hand_over(person(request), execution_id, username, comment(request))
    return answer(request, execution_id)
