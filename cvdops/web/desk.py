"""What one person may do with an execution: the personal part of its page."""

from typing import cast

from django.urls import reverse

from cvdops.access.policy import Action, Decision, can
from cvdops.accounts.models import User
from cvdops.approvals.models import ApprovalRequest
from cvdops.executions import checklists, health, participants, queries, waits
from cvdops.executions.deciders import gate_of
from cvdops.executions.models import HealthSample
from cvdops.executions.participants import JOIN_NEEDS, Part
from cvdops.live.answers import reads_answers
from cvdops.spec.document import Kind, Troubleshooting
from cvdops.web.approvers import groups
from cvdops.web.live.scene import Scene
from cvdops.web.live.troubles import troubles

PEOPLE = frozenset({Kind.MANUAL.value, Kind.CHECKLIST.value})
VERBS = ("pause", "resume", "cancel", "roll-back", "give-up")
STEP_VERBS = ("retry", "skip", "settle", "confirm")

Context = dict[str, object]


def personal(user: User, scene: Scene) -> Context:
    """The context of `_desk.html` and `_actions.html`: nothing in it that this person may not see."""
    execution = scene.execution
    controls = queries.controls(user, execution, scene.undo)
    current, stuck = scene.current, scene.stuck
    by_hand = current if current and controls.step(current.step).confirm.shown else None
    urls = {verb.replace("-", "_"): _url(verb, execution.pk) for verb in VERBS}
    if current:
        urls |= {verb: _url(verb, execution.pk, current.step.pk) for verb in STEP_VERBS}
    step_controls = controls.step(current.step) if current else None
    people = _people(user, scene, controls)
    decides = gate(user, scene.gate, scene) if scene.gate else {}
    left = sum(1 for mark in scene.after if not mark.confirmed_at)
    return {
        "scene": scene,
        "needs": _needs(scene, step_controls, {**people, **decides}),
        "execution": execution,
        "controls": controls,
        "step_controls": step_controls,
        "stuck_row": stuck,
        "person_row": by_hand,
        "urls": urls,
        "go_on_url": reverse("execution-go-on", args=[execution.pk]),
        "undo_url": reverse("execution-undo", args=[execution.pk]),
        "may_close": controls.decisions[Action.CLOSE],
        "monitoring": checklists.MONITORING,
        "health": _looks(scene),
        "after_done": len(scene.after) - left,
        "left_to_close": left if scene.closing else 0,
        "advice": _advice(user, scene),
        **people,
        **decides,
    }


def _needs(scene: Scene, may: queries.StepControls | None, context: Context) -> str:
    """What this person is needed for now, in a few words; empty if for nothing."""
    decide, row = context.get("decide"), scene.current
    if isinstance(decide, Decision) and decide.allowed:
        return f"Your decision: {context['gate_title']}"
    if may and row and may.confirm.shown and may.confirm.decision.allowed:
        return f"Your confirmation: {row.step.title}"
    stuck = (may.retry, may.skip, may.settle) if may else ()
    if row and any(control.shown and control.decision.allowed for control in stuck):
        return f"{row.step.title}: {row.step.look.label.lower()}. Decide how it goes on."
    if context["wanted"] and Part.SUPERVISOR in cast(list[Part], context["joinable"]):
        return f"{scene.execution.requested_by.name} needs a supervisor"
    return ""


def _people(user: User, scene: Scene, controls: queries.Controls) -> Context:
    """Who takes part, and how this person may."""
    mine = next((p for p in scene.participants if p.user_id == user.pk), None)
    runs = mine is not None and mine.part == Part.OPERATOR
    closed = scene.closing is not None and scene.closing.closed_at is not None
    open_to_join = not scene.execution.is_over and not runs
    hand_over = controls.decisions[Action.HAND_OVER].allowed and not closed
    return {
        "others": [name for name in scene.watching if name != user.name],
        "joinable": [
            part
            for part, action in JOIN_NEEDS.items()
            if open_to_join
            and not (mine and mine.part == part)
            and (action not in controls.decisions or controls.decisions[action].allowed)
        ],
        "wanted": scene.execution.waiting_for.get("code") == waits.SUPERVISOR,
        "may_leave": mine is not None and not runs,
        "successors": participants.successors(scene.execution) if hand_over else [],
    }


def _looks(scene: Scene) -> list[HealthSample]:
    """The looks at its environment since it ended."""
    closing = scene.closing
    return health.samples(closing) if closing and closing.watched_until else []


def gate(user: User, request: ApprovalRequest, scene: Scene) -> Context:
    """What a gate's card shows."""
    row = scene.row(request.gate)
    return {
        "gate_title": row.step.title if row else request.title,
        "groups": groups(request),
        "decide": can(user, Action.DECIDE, gate_of(request)),
    }


def _url(verb: str, *where: object) -> str:
    return reverse(f"execution-{verb}", args=where)


def _advice(user: User, scene: Scene) -> list[Troubleshooting]:
    if scene.stuck is None:
        return []
    answers = reads_answers(user, queries.matter(scene.execution))
    return troubles(scene, scene.stuck, answers=answers)
