"""The names that variables and steps may have."""

import re

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
STEP_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")  # targets, locks, databases

# A value given for one of these would change what the shell, the loader or an interpreter does.
_RESERVED = frozenset(
    [
        "PATH",
        "HOME",
        "SHELL",
        "USER",
        "LOGNAME",
        "PWD",
        "OLDPWD",
        "IFS",
        "ENV",
        "BASH_ENV",
        "SHELLOPTS",
        "BASHOPTS",
        "PS0",
        "PS1",
        "PS2",
        "PS3",
        "PS4",
        "PROMPT_COMMAND",
        "CDPATH",
        "GLOBIGNORE",
        "TMPDIR",
        "EDITOR",
        "VISUAL",
        "PAGER",
        "UID",
        "EUID",
        "PPID",
    ]
)
_RESERVED_PREFIXES = ("LD_", "DYLD_", "BASH_", "PYTHON", "PERL", "GIT_", "SSH_", "CVDOPS_")


def why_not_variable(name: str) -> str:
    """Why this cannot be the name of a variable, as the end of a sentence; empty if it can."""
    if not VARIABLE.fullmatch(name):
        return "needs a name of letters, digits and underscores that starts with no digit"
    if name in _RESERVED or name.startswith(_RESERVED_PREFIXES):
        return "has a name whose value changes what the shell itself does: choose another"
    return ""
