"""Who takes part in an execution: join, leave, hand over; supervision before the start; company."""

import pytest
from django.db.models.functions import Now

from cvdops.access.certification import Stage
from cvdops.accounts.models import User
from cvdops.audit.models import AuditEntry
from cvdops.executions import closing, participants, queries, services
from cvdops.executions.authority import driver
from cvdops.executions.models import Execution, Participant, StepRun
from cvdops.executions.separation import involved
from cvdops.lib.errors import Conflict, Invalid, Refused
from cvdops.notifications.models import Notice
from tests.cast import certify
from tests.executions.scene import Scene
from tests.executions.test_children import child_block
from tests.executions.test_engine import block

BY_HAND = "#### Look\n- [ ] Nobody works\n- [ ] The log is quiet\n"


def here(execution: Execution) -> dict[str, str]:
    return {p.user.username: p.part for p in participants.here(execution.pk)}


def trainee(scene: Scene, stage: Stage = Stage.SUPERVISED) -> User:
    """An engineer who is not certified yet."""
    user = scene.person("devops-engineer")
    certify(user, stage)
    return user


def test_whoever_asked_for_it_runs_it(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    assert here(scene.start()) == {"devops-engineer": "operator"}


def test_one_joins_changes_and_leaves_and_all_of_it_is_recorded(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    execution, admin = scene.start(), scene.person("system-admin")
    services.join(admin, execution.pk, "observer")
    services.join(admin, execution.pk, "assistant")
    assert here(execution)["system-admin"] == "assistant"
    with pytest.raises(Conflict, match="You take part already, as assistant"):
        services.join(admin, execution.pk, "assistant")
    services.leave(admin, execution.pk)
    assert here(execution) == {"devops-engineer": "operator"}
    entries = AuditEntry.objects.filter(actor=admin).order_by("id")
    assert [e.data["verb"] for e in entries] == ["join", "join", "leave"]


@pytest.mark.parametrize(
    ("role", "part"),
    [
        ("auditor", "assistant"),
        ("auditor", "supervisor"),
        ("system-admin", "supervisor"),
    ],
)
def test_one_joins_only_as_one_may(scene: Scene, role: str, part: str) -> None:
    scene.runbook(block("one", "true"))
    with pytest.raises(Refused):
        services.join(scene.person(role), scene.start().pk, part)


@pytest.mark.parametrize("part", ["operator", "king", ""])
def test_nobody_joins_as_something_else(scene: Scene, part: str) -> None:
    scene.runbook(block("one", "true"))
    with pytest.raises(Invalid):
        services.join(scene.person("operations-lead"), scene.start().pk, part)


def test_a_start_under_supervision_begins_when_the_supervisor_joins(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    trainee(scene)
    execution = scene.run()
    assert (execution.state, execution.waiting_for["code"]) == ("pending", "supervisor")
    services.join(scene.person("system-admin"), execution.pk, "assistant")
    assert scene.advance(execution).state == "pending"
    services.join(scene.person("operations-lead"), execution.pk, "supervisor")
    assert scene.advance(execution).state == "succeeded"


def test_those_who_may_supervise_are_asked_until_one_joins(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    user, lead = trainee(scene), scene.person("operations-lead")
    scene.person("system-admin")
    execution = scene.start()
    notice = Notice.objects.get()
    assert notice.user == lead
    assert f"{user.name} needs a supervisor for Trial {execution} in development" in notice.text
    services.join(lead, execution.pk, "supervisor")
    notice.refresh_from_db()
    assert notice.read_at


def test_a_supervisor_is_certified_and_another_person(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    trainee(scene)
    execution, lead = scene.start(), scene.person("operations-lead")
    certify(lead, Stage.PRODUCTION)
    with pytest.raises(Refused, match="Supervising is for those who are certified"):
        services.join(lead, execution.pk, "supervisor")
    certify(lead)
    User.objects.filter(pk=lead.pk).update(person=scene.person("devops-engineer").person)
    with pytest.raises(Conflict, match="Nobody supervises themselves"):
        services.join(User.objects.get(pk=lead.pk), execution.pk, "supervisor")


def test_whoever_waits_for_a_supervisor_cancels_their_own_start(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    user = trainee(scene)
    execution = scene.run()
    assert queries.controls(user, execution).cancel.decision.allowed
    with pytest.raises(Refused):
        services.cancel(scene.person("auditor"), execution.pk)
    services.cancel(user, execution.pk)
    assert scene.advance(execution).state == "cancelled"


def test_once_a_step_has_begun_ones_own_is_as_any_other(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    user = scene.person("devops-engineer")
    execution = scene.run()
    StepRun.objects.filter(execution=execution).update(started_at=Now())
    certify(user, Stage.SHADOW)
    assert not queries.controls(user, execution).cancel.decision.allowed


def test_without_a_supervisor_a_pending_start_can_be_cancelled(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    trainee(scene)
    execution = scene.start()
    services.cancel(scene.person("operations-lead"), execution.pk)
    assert scene.advance(execution).state == "cancelled"
    assert closing.due(["env.development"], 9) == []


def test_a_trainee_goes_on_only_while_supervised(scene: Scene) -> None:
    scene.runbook(block("one", "false"))
    user, lead = trainee(scene), scene.person("operations-lead")
    execution = scene.start()
    services.join(lead, execution.pk, "supervisor")
    scene.advance(execution)
    step = execution.steps.get()
    with pytest.raises(Conflict, match="works under your supervision"):
        services.leave(lead, execution.pk)
    services.retry(user, execution.pk, step.pk)
    scene.advance(execution)
    certify(lead, Stage.PRODUCTION)  # the supervisor is certified no longer
    with pytest.raises(Refused, match="under supervision"):
        services.retry(user, execution.pk, step.pk)


@pytest.mark.parametrize("stage", [Stage.SHADOW, Stage.SUPERVISED, Stage.STAGING])
def test_production_is_not_for_the_first_weeks(scene: Scene, stage: Stage) -> None:
    scene.environment.protected = True
    scene.environment.save()
    scene.runbook(block("one", "true"))
    trainee(scene, stage)
    with pytest.raises(Refused, match="Executing in development begins at “Week 4"):
        scene.start(confirm_environment="development")


def test_a_runbook_for_emergencies_is_not_for_week_two(scene: Scene) -> None:
    scene.runbook(block("one", "true"), extra="urgency: Critical\n")
    trainee(scene)
    with pytest.raises(Refused, match="begins at “Week 3"):
        scene.start()


def test_what_a_step_starts_has_the_same_people(scene: Scene) -> None:
    scene.other("inner", block("deep", "true"))
    scene.runbook(child_block())
    trainee(scene)
    execution = scene.start()
    services.join(scene.person("operations-lead"), execution.pk, "supervisor")
    scene.advance(execution)
    child = Execution.objects.get(parent__execution=execution)
    assert here(child) == here(execution)


def test_who_assists_confirms_while_somebody_is_there(scene: Scene) -> None:
    scene.runbook(BY_HAND)
    execution, admin = scene.run(), scene.person("system-admin")
    step = execution.steps.get()
    certify(scene.person("devops-engineer"), Stage.SHADOW)  # may execute nothing any more
    with pytest.raises(Refused, match="nobody does"):
        services.confirm(admin, execution.pk, step.pk, [0])
    services.join(scene.person("operations-lead"), execution.pk, "assistant")
    services.confirm(admin, execution.pk, step.pk, [0])
    assert here(execution)["system-admin"] == "assistant"


def test_a_lead_hands_it_over_and_the_other_closes_it(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    execution, lead = scene.start(), scene.person("operations-lead")
    certify(scene.person("security-admin"))
    services.hand_over(lead, execution.pk, "operations-lead", "night shift")
    assert here(execution) == {"operations-lead": "operator"}
    entry = AuditEntry.objects.get(action="execution.hand_over")
    assert (entry.data["from"], entry.data["to"]) == ("devops-engineer", "operations-lead")
    with pytest.raises(Conflict, match="runs it already"):
        services.hand_over(lead, execution.pk, "operations-lead")


@pytest.mark.parametrize("to", ["nobody", "auditor", "security-admin", ""])
def test_it_is_handed_only_to_who_may_execute_it(scene: Scene, to: str) -> None:
    scene.runbook(block("one", "true"))
    for role in ("auditor", "security-admin"):
        scene.person(role)
    with pytest.raises(Invalid, match="may execute this runbook here"):
        services.hand_over(scene.person("operations-lead"), scene.start().pk, to)


def test_handing_over_is_for_leads(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    execution = scene.start()
    with pytest.raises(Refused):
        services.hand_over(scene.person("devops-engineer"), execution.pk, "operations-lead")


def test_who_runs_it_does_not_simply_leave(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    execution, engineer = scene.start(), scene.person("devops-engineer")
    with pytest.raises(Conflict, match="A Lead hands it over"):
        services.leave(engineer, execution.pk)
    with pytest.raises(Conflict, match="You do not take part"):
        services.leave(scene.person("operations-lead"), execution.pk)


def test_those_it_can_be_handed_to_are_offered(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    for role in ("operations-lead", "auditor", "system-admin"):
        scene.person(role)
    assert participants.successors(scene.start()) == [scene.person("operations-lead")]


def test_the_past_of_a_participant_stays(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    execution, lead = scene.start(), scene.person("operations-lead")
    services.join(lead, execution.pk, "observer")
    services.leave(lead, execution.pk)
    assert Participant.objects.get(user=lead).left_at


def test_who_runs_or_supervises_it_may_not_approve_it(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    execution, lead = scene.start(), scene.person("operations-lead")
    services.join(scene.person("auditor"), execution.pk, "observer")
    services.hand_over(lead, execution.pk, "operations-lead")
    parts = involved(frozenset({execution.pk}))[execution.pk]
    assert {lead.person, scene.person("devops-engineer").person} <= set(parts)
    assert scene.person("auditor").person not in parts


def test_it_runs_in_the_name_of_whom_it_was_handed_to(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    execution, lead = scene.start(), scene.person("operations-lead")
    assert driver(execution) == scene.person("devops-engineer")
    services.hand_over(lead, execution.pk, "operations-lead")
    assert driver(execution) == lead


def test_production_under_supervision_runs_to_its_end(scene: Scene) -> None:
    scene.environment.protected = True
    scene.environment.save()
    scene.runbook(block("one", "true"))
    trainee(scene, Stage.PRODUCTION)
    execution = scene.start(confirm_environment="development")
    services.join(scene.person("operations-lead"), execution.pk, "supervisor")
    assert scene.advance(execution).state == "succeeded"
