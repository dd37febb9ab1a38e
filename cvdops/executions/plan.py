"""The pinned definition of an execution: what was approved is what runs, by digest."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from pydantic import TypeAdapter

from cvdops.approvals.groups import Demand
from cvdops.spec.document import Kind, Shell, Step

SHELLS = frozenset({Kind.BASH, Kind.SH, Kind.CONSOLE})
ON_HOSTS = SHELLS | {Kind.PYTHON, Kind.SQL}
PEOPLE = frozenset({Kind.APPROVAL, Kind.MANUAL, Kind.CHECKLIST})
EXECUTABLE = ON_HOSTS | PEOPLE | {Kind.RUNBOOK, Kind.HTTP}


@dataclass(frozen=True, slots=True)
class Target:
    """A host as it was when the plan was made. `keys` are the fingerprints that it may show."""

    id: int
    name: str
    transport: str
    address: str = ""
    port: int = 0  # 0: what OpenSSH's configuration says
    user: str = ""
    key: str = ""  # the private key's name
    jump: str = ""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Database:
    """A database that `sql` steps name, with the variables in its location filled in."""

    kind: str  # sqlite | postgresql
    location: str


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step and the hosts that it runs on, in their order; one nameless host where none is concerned."""

    step: Step
    hosts: tuple[str, ...]

    @property
    def where(self) -> str:
        """The hosts as one reads them."""
        return ", ".join(self.hosts)


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
    hosts: Mapping[str, Target]  # those that the steps name, and the default one
    groups: Mapping[str, tuple[str, ...]]  # those that the steps name
    databases: Mapping[str, Database]
    default_host: str
    locks: tuple[str, ...]  # held while the execution runs
    forward: tuple[Step, ...]
    backward: tuple[Step, ...]
    children: Mapping[str, "ChildPlan"]  # by the id of the step that starts it
    # By the id of an http step: host and port of those that it may talk to.
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    secrets: Mapping[str, int] = field(default_factory=dict)  # the environment's: their versions
    # By the id of an approval step, forward or rollback: who has to agree.
    gates: Mapping[str, Demand] = field(default_factory=dict)
    windows: tuple[str, ...] = ()  # the windows and freezes of the environment
    # From here on: what is needed to resolve it again.
    given: tuple[str, ...] = ()  # the variables that somebody gave a value
    later: tuple[str, ...] = ()  # those of a child that get theirs when its parent starts it
    chosen: bool = False  # its version was chosen, and is not simply the one that runs
    emergency: bool = False

    def with_variables(self, variables: Mapping[str, str], given: Iterable[str]) -> "Plan":
        """The same plan with these variables, of which some were given a value."""
        return replace(self, variables=variables, given=tuple(sorted(given)))

    @property
    def steps(self) -> tuple[PlannedStep, ...]:
        return tuple(self._placed(step) for step in self.forward)

    @property
    def rollback(self) -> tuple[PlannedStep, ...]:
        return tuple(self._placed(step) for step in self.backward)

    @property
    def changes(self) -> bool:
        """Whether a step of it, or of a runbook that it starts, changes something."""
        own = any(step.attributes.destructive for step in self.forward)
        return own or any(child.plan.changes for child in self.children.values())

    def step(self, key: str) -> PlannedStep:
        """The step with this id, forward or rollback. Raises KeyError."""
        for step in (*self.forward, *self.backward):
            if step.id == key:
                return self._placed(step)
        raise KeyError(key)

    def _placed(self, step: Step) -> PlannedStep:
        if step.kind not in ON_HOSTS:
            return PlannedStep(step, ("",))
        target = step.attributes.target or self.default_host
        return PlannedStep(step, self.groups.get(target, (target,)))


@dataclass(frozen=True, slots=True)
class ChildPlan:
    """What a `runbook` step starts. Variables that name others get their values when it does."""

    version: int  # the key of the runbook's version
    plan: Plan


_plan = TypeAdapter(Plan)


def to_json(plan: Plan) -> dict[str, object]:
    """The plan as it is stored: JSON values only."""
    return {"format": 1, **_plan.dump_python(plan, mode="json")}


def from_json(stored: Mapping[str, object]) -> Plan:
    """The plan that was stored."""
    return _plan.validate_python({k: v for k, v in stored.items() if k != "format"})


def digest(stored: Mapping[str, object]) -> str:
    """SHA-256 over the canonical JSON of a stored plan, in hex."""
    canonical = json.dumps(stored, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def fingerprint(secret: str, secret_key: str) -> str:
    """A keyed digest that stands for a secret in a plan: equal secrets are seen to be equal, no more."""
    return "secret:" + hmac.digest(secret_key.encode(), secret.encode(), "sha256").hex()[:32]
