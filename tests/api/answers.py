"""The answers of the calls as examples: short, and without what was only so on this machine."""

import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from cvdops.api.answers import PLACE
from cvdops.api.urls import ROUTERS, named

LONGEST = 400  # characters of a text, and of a file
LINES = 3  # of a file
ONCE = {"secret", "password"}  # what is shown once


def models() -> dict[tuple[str, str], type[BaseModel]]:
    """Operation id and status → what such an answer is made by."""
    return {
        (named(operation), str(status)): model
        for router in ROUTERS
        for view in router.path_operations.values()
        for operation in view.operations
        for status, model in operation.response_models.items()
        if isinstance(model, type) and issubclass(model, BaseModel)
    }


def as_answered(model: type[BaseModel], value: object) -> object:
    """What the call would say for this: the same, unless the value is none of its answers."""
    return model.model_validate({"response": value}).model_dump(mode="json")["response"]


def write(answers: Mapping[str, tuple[str, str]], here: Mapping[str, str]) -> None:
    """Operation id → status and content. `here`: what is only so on this machine, and what stands for it."""
    made = models()
    found: dict[str, dict[str, Any]] = {}
    for name, (status, content) in answers.items():
        if not content:
            continue
        for text, instead in here.items():
            content = content.replace(text, instead)
        if (name, status) in made:
            found[name] = {status: _abridged(json.loads(content))}
        elif content.startswith('"'):
            found[name] = {status: "\n".join(content.splitlines()[:LINES])[:LONGEST]}
    PLACE.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _abridged(value: Any, name: str = "") -> Any:
    """Of a list the first item, of a long text its beginning."""
    if isinstance(value, dict):
        return {key: _abridged(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [_abridged(one) for one in value[:1]]
    if name == "port" and isinstance(value, int) and value > 9999:
        return 5000
    if isinstance(value, str):
        text = re.sub(r":\d{5}\b", ":5000", value)  # a port of this machine
        if name in ONCE and text:
            return "kept-by-you-alone"
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return value
