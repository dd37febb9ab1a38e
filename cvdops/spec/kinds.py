"""Which fence languages run, and as what."""

from cvdops.spec.document import Kind, SectionKind

LANGUAGES: dict[str, Kind] = {
    "bash": Kind.BASH,
    "sh": Kind.SH,
    "console": Kind.CONSOLE,
    "shell": Kind.CONSOLE,
    "shell-session": Kind.CONSOLE,
    "shellsession": Kind.CONSOLE,
    "sh-session": Kind.CONSOLE,
    "python": Kind.PYTHON,
    "python3": Kind.PYTHON,
    "py": Kind.PYTHON,
    "sql": Kind.SQL,
    "http": Kind.HTTP,
    "approval": Kind.APPROVAL,
    "manual": Kind.MANUAL,
    "runbook": Kind.RUNBOOK,
}
SHELLS = frozenset({Kind.BASH, Kind.SH, Kind.CONSOLE})
COMMANDS = SHELLS | {Kind.PYTHON, Kind.SQL, Kind.HTTP}  # what has an output
_AN = frozenset({Kind.APPROVAL, Kind.HTTP, Kind.SQL})
OUTPUT_LANGUAGE = "output"
TEXT_LANGUAGES = frozenset({"", "text", "txt", "plaintext", "plain"})

EXECUTED = frozenset(
    {
        SectionKind.PREPARATION,
        SectionKind.PROCEDURES,
        SectionKind.VERIFICATION,
        SectionKind.ROLLBACK,
    }
)
WITH_CHECKLISTS = EXECUTED - {SectionKind.ROLLBACK}


def a_block(kind: str) -> str:
    """“an http block”, “a bash block”."""
    return f"{'an' if kind in _AN else 'a'} {kind} block"
