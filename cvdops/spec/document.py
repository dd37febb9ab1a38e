"""What a runbook document means: the values that the parser returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class SectionKind(StrEnum):
    OVERVIEW = "overview"
    PREREQUISITES = "prerequisites"
    PREPARATION = "preparation"
    PROCEDURES = "procedures"
    VERIFICATION = "verification"
    ROLLBACK = "rollback"
    TROUBLESHOOTING = "troubleshooting"
    REFERENCE = "reference"


class Kind(StrEnum):
    """What a step is."""

    BASH = "bash"
    SH = "sh"
    CONSOLE = "console"
    PYTHON = "python"
    SQL = "sql"
    HTTP = "http"
    APPROVAL = "approval"
    MANUAL = "manual"
    RUNBOOK = "runbook"
    CHECKLIST = "checklist"


class Category(StrEnum):
    """The columns of the permissions matrix."""

    DEPLOYMENT = "deployment"
    BACKUP_RESTORE = "backup-restore"
    PERFORMANCE = "performance"
    SECURITY = "security"
    INCIDENTS = "incidents"


# The roles that every portal begins with; a gate names its approvers by them.
ROLES = (
    "operations-lead",
    "devops-engineer",
    "system-admin",
    "security-admin",
    "developer",
    "operations-manager",
    "cto",
    "auditor",
    "admin",
)


class Shell(StrEnum):
    STRICT = "strict"
    PASTE = "paste"


class OnFailure(StrEnum):
    STOP = "stop"
    CONTINUE = "continue"
    ROLLBACK = "rollback"


class Expect(StrEnum):
    EXACT = "exact"
    CONTAINS = "contains"
    REGEX = "regex"


class VariableType(StrEnum):
    STRING = "string"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    PATH = "path"
    URL = "url"
    VERSION = "version"


COMMON_VARIABLES = (
    "ENVIRONMENT",
    "APPLICATION_DIR",
    "DATA_DIR",
    "BACKUP_DIR",
    "LOG_DIR",
    "SERVICE_NAME",
    "DATABASE_PATH",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    code: str
    severity: Severity
    line: int
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    heading: str
    kind: SectionKind
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An expected output, as the document promises it."""

    text: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistItem:
    text: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """The fence attributes of a step. Durations in seconds."""

    timeout: float = 600.0
    target: str = ""
    batch: int = 0
    checkpoint: bool = False
    destructive: bool = False
    rollback: str = ""
    idempotent: bool = False
    retry: int = 0
    backoff: float = 5.0
    on_failure: OnFailure = OnFailure.STOP
    expect: Expect | None = None
    exit_codes: tuple[int, ...] = (0,)
    when: str = ""
    capture: str = ""
    lock: str = ""
    database: str = ""
    expect_status: tuple[int, ...] = ()

    @property
    def undone_by(self) -> str:
        """The id of the step that undoes it; empty: none does, or nothing that is said has to be undone."""
        return self.rollback if self.destructive else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The body of an `approval` block. `expires` in seconds."""

    approvers: tuple[str, ...] = ()
    required: int = 1
    expires: float = 7200.0
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """The body of a `runbook` block."""

    runbook: str
    procedure: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One runnable block, gate, manual action or checklist."""

    id: str
    title: str
    kind: Kind
    section: SectionKind
    line: int
    language: str = ""
    body: str = ""  # the script as it runs; for `manual`, the instruction
    prose: str = ""  # the Markdown between the heading (or the block before) and this block
    attributes: Attributes = field(default_factory=Attributes)
    written: tuple[str, ...] = ()  # the attributes that the block states, by their names there
    samples: tuple[Sample, ...] = ()
    checklist: tuple[ChecklistItem, ...] = ()
    gate: Gate | None = None
    child: Child | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """A part of *Procedures* that an operator can choose to run."""

    key: str
    title: str
    steps: tuple[str, ...]  # ids, in the order of the document, of this procedure alone
    preparation: tuple[str, ...] | None = None  # ids; None: all steps of that section
    verification: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    name: str
    type: VariableType = VariableType.STRING
    description: str = ""
    default: str | None = None
    required: bool = False
    pattern: str = ""
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    secret: bool = False
    procedures: tuple[str, ...] = ()  # keys; empty means all


@dataclass(frozen=True, slots=True, kw_only=True)
class Troubleshooting:
    title: str
    symptoms: str
    resolution: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook:
    """A parsed document with everything the parser noticed; not executable if any of it is an error."""

    id: str
    title: str
    metadata: Mapping[str, object]  # front matter, or the metadata list and the closing bold lines
    shell: Shell
    sections: tuple[Section, ...]
    procedures: tuple[Procedure, ...]
    steps: tuple[Step, ...]
    variables: tuple[Variable, ...]
    troubleshooting: tuple[Troubleshooting, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def executable(self) -> bool:
        """Without a category nobody has the right to start it."""
        return (
            bool(self.procedures)
            and self.category is not None
            and not any(d.severity is Severity.ERROR for d in self.diagnostics)
        )

    @property
    def category(self) -> Category | None:
        """The parser has settled how it is spelt."""
        value = self.metadata.get("category")
        return Category(str(value)) if value in tuple(Category) else None

    def step(self, step_id: str) -> Step:
        """The step with this id. Raises KeyError if there is none."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)

    def section(self, kind: SectionKind) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.section is kind)
