"""The URLs of executions and approvals."""

from django.urls import URLPattern, path

from cvdops.web.views import (
    approvals,
    choosing,
    delegations,
    emergencies,
    executions,
    output,
    participating,
    stream,
    verbs,
)

_VERBS = {
    "pause": verbs.pause,
    "resume": verbs.resume,
    "cancel": verbs.cancel,
    "roll-back": verbs.roll_back,
    "give-up": verbs.give_up,
}
_STEP_VERBS = {
    "retry": verbs.retry,
    "skip": verbs.skip,
    "settle": verbs.settle,
    "confirm": verbs.confirm,
}
_ONE = "executions/<str:execution_id>/"
_STEP = _ONE + "steps/<str:step_id>/"

urlpatterns: list[URLPattern] = [
    path(_ONE, executions.execution, name="execution"),
    path(_ONE + "events/", stream.execution_events, name="execution-events"),
    path(_ONE + "snapshot/", executions.execution_snapshot, name="execution-snapshot"),
    path(_ONE + "controls/", executions.execution_controls, name="execution-controls"),
    path(_ONE + "go-on/", choosing.go_on, name="execution-go-on"),
    path(_ONE + "undo/", choosing.undo, name="execution-undo"),
    path(_ONE + "emergency/", emergencies.emergency, name="execution-emergency"),
    path(_ONE + "notes/", verbs.note, name="execution-note"),
    path(_ONE + "join/", participating.join, name="execution-join"),
    path(_ONE + "leave/", participating.leave, name="execution-leave"),
    path(_ONE + "hand-over/", participating.hand_over, name="execution-hand-over"),
    path(_ONE + "after/<int:position>/", verbs.close_item, name="execution-close-item"),
    path(_STEP + "output/", output.execution_output, name="execution-output"),
    path(_STEP + "lines/", output.execution_lines, name="execution-lines"),
    path(_STEP + "search/", output.execution_search, name="execution-search"),
    *(path(f"{_ONE}{verb}/", view, name=f"execution-{verb}") for verb, view in _VERBS.items()),
    *(
        path(f"{_STEP}{verb}/", view, name=f"execution-{verb}")
        for verb, view in _STEP_VERBS.items()
    ),
    path("approvals/", approvals.approvals, name="approvals"),
    path("approvals/delegations/", delegations.delegations, name="delegations"),
    path("approvals/delegations/<int:pk>/end/", delegations.end, name="delegation-end"),
    path("approvals/<str:request_id>/", approvals.approval, name="approval"),
    path("approvals/<str:request_id>/decide/", approvals.decide, name="approval-decide"),
    path("approvals/<str:request_id>/renew/", approvals.renew, name="approval-renew"),
]
