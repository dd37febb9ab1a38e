"""What can be asked next with what a call has answered: the links of the description."""

from collections.abc import Mapping
from typing import Any

_EXECUTION = {"execution_id": "$response.body#/id"}
_STEP = {**_EXECUTION, "step_id": "$response.body#/steps/0/id"}
_SHOW = {
    "operationId": "executions.execution",
    "parameters": _EXECUTION,
    "description": "The execution as it stands.",
}
_CONTROLS = {
    verb: {
        "operationId": f"controls.{verb}",
        "parameters": _EXECUTION,
        "description": f"{verb.capitalize()} it.",
    }
    for verb in ("pause", "resume", "cancel", "rollback")
}
_STEPS = {
    "output": {
        "operationId": "output.step_output",
        "parameters": _STEP,
        "description": "What its first step has written.",
    },
    "confirm": {
        "operationId": "steps.confirm",
        "parameters": _STEP,
        "description": "Confirm its first step, if that is one for people.",
    },
}

# Operation id → status → the links of that answer by their names.
LINKS: Mapping[str, Mapping[int, Mapping[str, Any]]] = {
    "executions.start": {201: {"show": _SHOW, **_STEPS, **_CONTROLS}},
    "executions.execution": {200: {**_STEPS, **_CONTROLS}},
    "executions.executions": {
        200: {
            "newest": {
                "operationId": "executions.execution",
                "parameters": {"execution_id": "$response.body#/items/0/id"},
                "description": "The newest of them, with its steps.",
            }
        }
    },
}
