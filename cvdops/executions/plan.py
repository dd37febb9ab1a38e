"""The pinned definition of an execution: what was approved is what runs, by digest."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter

from cvdops.spec.document import Kind, Shell, Step

SHELLS = frozenset({Kind.BASH, Kind.SH, Kind.CONSOLE})
PEOPLE = frozenset({Kind.APPROVAL, Kind.MANUAL, Kind.CHECKLIST})
EXECUTABLE = SHELLS | PEOPLE

_steps = TypeAdapter(tuple[Step, ...])
_texts = TypeAdapter(dict[str, str])


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step and the host that it runs on; no host for what a person does."""

    step: Step
    host: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything resolved: the steps in order, and every rollback step that may be asked for."""

    runbook: str
    content_hash: str
    commit: str
    procedure: str
    environment: str
    shell: Shell
    variables: Mapping[str, str]  # a secret one is here as a keyed digest of its value
    hosts: Mapping[str, str]  # name → transport
    default_host: str
    forward: tuple[Step, ...]
    backward: tuple[Step, ...]

    @property
    def steps(self) -> tuple[PlannedStep, ...]:
        return tuple(self._on_host(step) for step in self.forward)

    @property
    def rollback(self) -> tuple[PlannedStep, ...]:
        return tuple(self._on_host(step) for step in self.backward)

    def step(self, key: str) -> PlannedStep:
        """The step with this id, forward or rollback. Raises KeyError."""
        for step in (*self.forward, *self.backward):
            if step.id == key:
                return self._on_host(step)
        raise KeyError(key)

    def _on_host(self, step: Step) -> PlannedStep:
        host = "" if step.kind in PEOPLE else step.attributes.target or self.default_host
        return PlannedStep(step, host)


def to_json(plan: Plan) -> dict[str, object]:
    """The plan as it is stored: JSON values only."""
    return {
        "format": 1,
        "runbook": plan.runbook,
        "content_hash": plan.content_hash,
        "commit": plan.commit,
        "procedure": plan.procedure,
        "environment": plan.environment,
        "shell": plan.shell.value,
        "variables": dict(plan.variables),
        "hosts": dict(plan.hosts),
        "default_host": plan.default_host,
        "forward": _steps.dump_python(plan.forward, mode="json"),
        "backward": _steps.dump_python(plan.backward, mode="json"),
    }


def from_json(stored: Mapping[str, object]) -> Plan:
    """The plan that was stored."""
    return Plan(
        runbook=str(stored["runbook"]),
        content_hash=str(stored["content_hash"]),
        commit=str(stored["commit"]),
        procedure=str(stored["procedure"]),
        environment=str(stored["environment"]),
        shell=Shell(str(stored["shell"])),
        variables=_texts.validate_python(stored["variables"]),
        hosts=_texts.validate_python(stored["hosts"]),
        default_host=str(stored["default_host"]),
        forward=_steps.validate_python(stored["forward"]),
        backward=_steps.validate_python(stored["backward"]),
    )


def digest(stored: Mapping[str, object]) -> str:
    """SHA-256 over the canonical JSON of a stored plan, in hex."""
    canonical = json.dumps(stored, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def fingerprint(secret: str, secret_key: str) -> str:
    """A keyed digest that stands for a secret in a plan: equal secrets are seen to be equal, no more."""
    return "secret:" + hmac.digest(secret_key.encode(), secret.encode(), "sha256").hex()[:32]
