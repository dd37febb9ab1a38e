"""Evidence from real executions, and the rungs that Operations Leads grant."""

import uuid

import pytest

from cvdops.access.certification import Stage
from cvdops.access.models import Certification
from cvdops.access.policy import standing_of
from cvdops.accounts.models import User
from cvdops.audit.models import AuditEntry
from cvdops.executions import services
from cvdops.executions.evidence import Done, Record, record_of, toward
from cvdops.lib.errors import Invalid, NotFound, Refused
from tests.cast import certify
from tests.executions.scene import Scene
from tests.executions.test_engine import block

ORDINARY = Done(
    uuid.uuid4(), 7, "trial", "Trial", protected=False, critical=False, supervised=False
)
SUPERVISED = Done(
    uuid.uuid4(), 8, "trial", "Trial", protected=False, critical=False, supervised=True
)
PRODUCTION = Done(
    uuid.uuid4(), 9, "trial", "Trial", protected=True, critical=False, supervised=True
)
EMERGENCY = Done(uuid.uuid4(), 10, "fire", "Fire", protected=False, critical=True, supervised=True)


def met(stage: Stage, record: Record) -> bool:
    return all(requirement.met for requirement in toward(stage, record))


@pytest.mark.parametrize(
    ("stage", "enough", "not_enough"),
    [
        (Stage.SHADOW, {"watched": (ORDINARY,)}, {"run": (ORDINARY,)}),
        (Stage.SUPERVISED, {"run": (SUPERVISED,)}, {"run": (ORDINARY, PRODUCTION, EMERGENCY)}),
        (Stage.STAGING, {"run": (ORDINARY,)}, {"run": (SUPERVISED, PRODUCTION)}),
        (Stage.PRODUCTION, {"run": (PRODUCTION,)}, {"run": (ORDINARY, SUPERVISED)}),
    ],
)
def test_each_rung_asks_for_what_the_mission_says(
    stage: Stage, enough: dict[str, object], not_enough: dict[str, object]
) -> None:
    runbooks = frozenset({"trial"})
    assert met(stage, Record(28, runbooks=runbooks, **enough))
    assert not met(stage, Record(6, runbooks=runbooks, **enough))
    assert not met(stage, Record(28, runbooks=runbooks, **not_enough))


def test_every_runbook_counts_once() -> None:
    record = Record(9, run=(ORDINARY, ORDINARY), runbooks=frozenset({"trial", "other"}))
    one = toward(Stage.STAGING, record)[1]
    assert (one.have, one.need, one.met) == (1, 2, False)
    assert str(one) == "Executed each runbook outside production on their own: 1 of 2 (#7)"


def test_the_record_is_of_real_executions(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    lead, watcher = scene.person("operations-lead"), scene.person("developer")
    execution = scene.start(by="operations-lead")
    services.join(watcher, execution.pk, "observer")
    services.join(scene.person("devops-engineer"), execution.pk, "supervisor")
    scene.advance(execution)
    scene.start(by="operations-lead")  # one that has not ended
    (run,) = record_of(lead, lead).run
    assert (run.number, run.supervised, run.protected) == (execution.number, True, False)
    assert [d.number for d in record_of(watcher, lead).watched] == [execution.number]
    assert record_of(watcher, lead).run == ()


def test_what_the_viewer_may_not_see_is_not_counted(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    scene.advance(scene.start(by="operations-lead"))
    outsider = User.objects.create(username="outsider", name="Outsider")
    assert record_of(scene.person("operations-lead"), outsider).run == ()


def test_a_rung_is_granted_for_a_year_with_its_evidence_and_recorded(scene: Scene) -> None:
    lead, them = scene.person("operations-lead"), scene.person("devops-engineer")
    certify(them, Stage.STAGING)
    made = services.certify(lead, them.username, "4", " a good month ")
    made.refresh_from_db()
    assert (made.expires_at - made.granted_at).days == 365
    assert standing_of(them).certificate.granted is Stage.PRODUCTION
    entry = AuditEntry.objects.get(action="certification.grant")
    assert entry.data["after"] == "Week 4: production under supervision"
    assert entry.data["evidence"] == made.evidence
    assert made.evidence[0].startswith("Days on this rung: ")


def test_the_next_rung_needs_no_note_when_it_was_earned(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    lead, them = scene.person("operations-lead"), scene.person("developer")
    certify(them, Stage.SHADOW)
    with pytest.raises(Invalid, match="not everything that leads to this rung"):
        services.certify(lead, "developer", "2")
    execution = scene.start(by="operations-lead")
    services.join(them, execution.pk, "observer")
    scene.advance(execution)
    services.certify(lead, "developer", "2")
    with pytest.raises(Invalid):
        services.certify(lead, "developer", "5")


def test_nobody_certifies_themselves_by_whatever_account(scene: Scene) -> None:
    lead = scene.person("operations-lead")
    other = User.objects.create(username="olivia-2", name="Olivia", person=lead.person)
    for username in (lead.username, other.username):
        with pytest.raises(Refused, match="Nobody certifies themselves"):
            services.certify(lead, username, "5", "me")
    assert Certification.objects.filter(user=lead).count() == 1


@pytest.mark.parametrize("role", ["devops-engineer", "operations-manager", "admin"])
def test_only_operations_leads_grant(scene: Scene, role: str) -> None:
    scene.person("developer")
    with pytest.raises(Refused):
        services.certify(scene.person(role), "developer", "5", "so")


@pytest.mark.parametrize("stage", ["", "0", "6", "x", "-1"])
def test_there_are_five_rungs(scene: Scene, stage: str) -> None:
    scene.person("developer")
    with pytest.raises(Invalid, match="Choose one of the rungs"):
        services.certify(scene.person("operations-lead"), "developer", stage, "so")


def test_somebody_who_is_not_there_is_not_found(scene: Scene) -> None:
    with pytest.raises(NotFound):
        services.certify(scene.person("operations-lead"), "nobody", "5", "so")
