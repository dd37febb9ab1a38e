"""The system as it ships, for the examples: its runbooks, environments, people, and things in every state."""

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings as configured
from django.core.management import call_command
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from cvdops.access import delegations
from cvdops.access.levels import Level
from cvdops.access.models import Delegation
from cvdops.accounts.models import User
from cvdops.approvals import services as approvals
from cvdops.approvals.groups import Demand, Group
from cvdops.catalog.origin import Origin
from cvdops.changes import matrix
from cvdops.changes.services import submit
from cvdops.environments.models import Contact, Environment, EnvironmentVariable, Hold, Host
from cvdops.executions import closing, drift, emergencies, filters, services, triggers
from cvdops.executions.emergencies import Declaration
from cvdops.executions.models import ChecklistMark, Execution, HostCheck, Worker
from cvdops.practice.site import Site
from tests.cast import person
from tests.ports import free_port

GATE = "approve-the-deployment"
CELLS = {  # the call → of which of the developer's levels it is
    "changes.change": "deployment",
    "changes.confirm": "backup-restore",
    "changes.refuse": "performance",
    "changes.withdraw": "incidents",
}
KEY = {"kind": "ssh-ed25519", "key": "AAAA", "fingerprint": "SHA256:abc"}


def install(folder: Path, settings: Settings) -> Site:
    """What `make up` makes, but that its worker only says that it lives."""
    site = Site(folder / "practice", free_port())
    settings.RUNBOOKS = Origin(str(configured.BASE_DIR / "runbooks"))
    settings.PRACTICE_DIR = site.root
    site.root.mkdir()
    (site.root / "environment.json").write_text(json.dumps(site.variables()))
    call_command("demo")
    served = [environment.queue for environment in Environment.objects.all()]
    tomorrow = timezone.now() + timedelta(days=1)
    Worker.objects.create(name="worker", queues=served, seen_at=tomorrow, consumed_at=tomorrow)
    return site


@dataclass
class Case:
    """Makes what the example of a call is about, as the variables of its shell."""

    name: str

    def surroundings(self, line: str) -> dict[str, str]:
        makers = {
            "EXECUTION": self._execution,
            "REQUEST": self._request,
            "CHANGE": self._change,
            "TRIGGER": self._trigger,
            "FILTER": self._filter,
            "HOLD": self._hold,
            "CONTACT": self._contact,
            "DELEGATION": self._delegation,
        }
        found: dict[str, str] = {}
        for word, make in makers.items():
            if f"${word}" in line:
                made = make()
                found |= made if isinstance(made, dict) else {word: str(made)}
        if self.name == "hosts.confirm_key":
            host = Host.objects.get(name="practice")
            HostCheck.objects.create(host=host, requested_by=_engineer(), keys=[KEY])
        return found

    def _execution(self) -> object:
        return {
            "controls.resume": self._paused,
            "controls.rollback": self._undoable,
            "controls.rollback_plan": self._undoable,
            "controls.give_up": self._stuck,
            "controls.go_on": self._stuck,
            "controls.go_on_plan": self._stuck,
            "steps.confirm": self._asking,
            "steps.retry": self._stuck,
            "steps.skip": self._stuck,
            "steps.settle": self._stuck,
            "taking_part.leave": self._joined,
            "taking_part.close_item": self._ended,
            "taking_part.review": self._emergency,
        }.get(self.name, _start)().pk

    def _paused(self) -> Execution:
        made = _start()
        services.pause(_engineer(), made.pk)
        return made

    def _stuck(self) -> Execution:
        """As one whose release is not tagged: a step failed, and a person has to decide."""
        return _waits(_start(), "find-the-release", "failed")

    def _undoable(self) -> Execution:
        return _waits(_start(), "check-the-health", "failed")

    def _asking(self) -> Execution:
        made = _start(runbook="incident-response", procedure="assess", variables={})
        step = made.steps.get(key="tell-the-people")
        ChecklistMark.objects.create(
            execution=made, moment="step", step=step, position=0, text=step.title
        )
        return _waits(made, step.key, "waiting")

    def _joined(self) -> Execution:
        made = _start()
        services.join(person("operations-lead"), made.pk, "observer")
        return made

    def _ended(self) -> Execution:
        made = _start()
        Execution.objects.filter(pk=made.pk).update(state="succeeded", finished_at=Now())
        closing.begin(made.pk)
        return made

    def _emergency(self) -> Execution:
        made = _start()
        told = Declaration("P1", "The service is down.", None, "Nobody could be reached.")
        emergencies.store(made, person("operations-manager"), told)
        made.steps.update(started_at=Now())
        Execution.objects.filter(pk=made.pk).update(state="succeeded", finished_at=Now())
        return made

    def _request(self) -> dict[str, str]:
        made = _waits(_start(), GATE, "waiting")
        request = approvals.ask(
            execution=made.pk,
            gate=GATE,
            title="Approval of the deployment",
            message="",
            category="deployment",
            environment="development",
            demand=Demand((Group(("operations-manager", "cto")),), 7200),
            plan_digest=made.plan_digest,
            present_digest=drift.present(made).digest,
            requested_by=_engineer(),
        )
        if self.name == "taking_part.renew":
            EnvironmentVariable.objects.filter(name="LOG_DIR").update(value="/somewhere/else")
        return {"REQUEST": str(request.pk), "DIGEST": made.plan_digest}

    def _change(self) -> str:
        """By the one who has to take it back, or by another one who cannot confirm it."""
        by = person("operations-lead" if self.name == "changes.withdraw" else "admin")
        category = CELLS[self.name]
        value = matrix.value(Level.EXECUTE)
        return str(submit(by, "matrix", f"developer/{category}", value, "They help.").pk)

    def _trigger(self) -> dict[str, str]:
        """Of the account and with the mapping of the example."""
        lead = person("operations-lead")
        wanted = triggers.Wanted(
            name=f"Build for {self.name}",
            runbook="deployment",
            procedure="deploy",
            environment="development",
            account="ci",
            mapping={"TARGET_VERSION": "/release/tag"},
        )
        made, secret = triggers.create(lead, wanted)
        if self.name == "triggers.enable":
            triggers.disable(lead, made.pk)
        return {"TRIGGER": str(made.pk), "SECRET": secret}

    def _filter(self) -> int:
        return filters.save(person("operations-lead"), "What failed", "state=failed").pk

    def _hold(self) -> int:
        tomorrow = timezone.now() + timedelta(days=1)
        given = {"owner": person("operations-lead"), "until": tomorrow, "reason": "A new disk."}
        return Hold.objects.create(environment_id="production", **given).pk

    def _contact(self) -> int:
        """The first of the chain, or one that may go."""
        last = self.name == "contacts.remove"
        return Contact.objects.get(name="Storage issues" if last else "Primary On-Call").pk

    def _delegation(self) -> int:
        giver, tomorrow = person("operations-manager"), timezone.now() + timedelta(days=1)
        there = Delegation.objects.filter(giver=giver, receiver__username="developer").first()
        return (there or delegations.delegate(giver, "developer", tomorrow, "away")).pk


def log_in(user: User) -> None:
    """A browser of theirs."""
    Client().force_login(user)


def _engineer() -> User:
    return person("devops-engineer")


def _start(**given: object) -> Execution:
    wanted = {
        "runbook": "deployment",
        "procedure": "deploy",
        "environment": "development",
        "variables": {"TARGET_VERSION": "v1.0.1"},
        "reason": "Paging for the device list",
        "checklist": "confirmed",
    }
    return services.start(_engineer(), **{**wanted, **given})


def _waits(made: Execution, key: str, state: str) -> Execution:
    """It waits at this step for people; what comes before it is done."""
    here = made.steps.get(key=key)
    done = made.steps.filter(position__lt=here.position)
    done.update(state="succeeded", attempt_count=1, started_at=Now(), finished_at=Now())
    made.steps.filter(pk=here.pk).update(state=state, attempt_count=1, started_at=Now())
    waits = {"code": "step", "text": "It waits for a decision."}
    Execution.objects.filter(pk=made.pk).update(state="waiting", waiting_for=waits)
    return made
