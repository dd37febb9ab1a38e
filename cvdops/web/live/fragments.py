"""The parts of a page that move, as HTML, each by the name of the element that holds it."""

from collections.abc import Collection
from uuid import UUID

from django.template.loader import render_to_string

from cvdops.live.answers import WITHHELD
from cvdops.web.live.scene import Row, Scene
from cvdops.web.live.troubles import troubles

_WHOLE = (
    "head",
    "progress",
    "place",
    "trouble",
    "status",
    "undo",
    "captured",
    "notes",
    "decided",
    "timeline",
    "watching",
)


def whole(scene: Scene, *, answers: bool) -> dict[str, str]:
    """Those that there is one of. `answers`: for somebody who may read what came back to requests."""
    known = shown(answers=answers)
    return {name: _render(name, scene=scene, **known) for name in _WHOLE}


def shown(*, answers: bool) -> dict[str, object]:
    """What a template needs to know to show answers, or to say that it does not."""
    return {"answers": answers, "withheld": WITHHELD}


def rail(scene: Scene) -> dict[str, str]:
    """The list of steps, for when steps were added."""
    return {"rail": _render("rail", scene=scene)}


def rows(scene: Scene) -> dict[str, str]:
    """The lines of that list, one by one."""
    return {f"row-{row.step.pk}": row_html(row) for row in scene.rows}


def panels(scene: Scene, steps: Collection[UUID], *, answers: bool) -> dict[str, str]:
    """How these steps stand, and their descriptions with command and promises: two parts of each."""
    parts = {}
    for row in scene.rows:
        if row.step.pk in steps:
            known = about(scene, row, answers=answers)
            for name in ("heading", "panel"):
                parts[f"{name}-{row.step.pk}"] = _render(name, scene=scene, **known)
    return parts


def about(scene: Scene, row: Row | None, *, answers: bool) -> dict[str, object]:
    """What the description of a step needs to know. Its card says already what a stuck one waits for."""
    told = row is not None and scene.tells(row)
    found = [] if told else troubles(scene, row, answers=answers)
    previous, following = scene.beside(row)
    return {
        "row": row,
        "told": told,
        "troubles": found,
        "previous": previous,
        "next": following,
        "values": scene.values(row),
        **shown(answers=answers),
    }


def row_html(row: Row) -> str:
    return _render("row", row=row)


def facts(scene: Scene) -> dict[str, object]:
    """What the script needs to know beside the fragments."""
    execution, focus = scene.execution, scene.focus
    return {
        "now": scene.now.timestamp(),
        "over": execution.is_over,
        "tone": execution.look.tone,
        "label": execution.look.label,
        "title": f"{execution.runbook.title} #{execution.number}",
        "focus": str(focus.step.pk) if focus else "",
        "controls": scene.controls_key,
        "hasOutput": scene.has_output,
        "attempt": str(focus.attempt.pk) if focus and focus.attempt else "",
    }


def _render(name: str, **context: object) -> str:
    return render_to_string(f"executions/_{name}.html", context)
