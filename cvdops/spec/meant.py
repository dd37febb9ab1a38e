"""What in a block looks like commands, or like the prompts before them, without being read as such."""

import re
from collections.abc import Sequence

from cvdops.spec.document import Kind, Sample
from cvdops.spec.tools import BUILTINS, POSIX

FOREIGN = frozenset(
    {"zsh", "fish", "ksh", "csh", "tcsh", "powershell", "pwsh", "ps1", "posh"}
    | {"bat", "batch", "cmd", "dos", "dosbatch", "ruby", "perl", "expect", "tcl"}
)  # languages of scripts that the portal does not run
_TOOLS = (
    frozenset(
        {"apt", "apt-get", "certbot", "crontab", "curl", "dnf", "docker", "docker-compose", "dpkg"}
        | {"git", "helm", "ip", "journalctl", "kubectl", "make", "mount", "mysql", "mysqldump"}
        | {"nginx", "npm", "openssl", "pg_dump", "pip", "ping", "pkill", "psql", "python"}
        | {"python3", "redis-cli", "rpm", "rsync", "scp", "service", "sqlite3", "ssh", "ss"}
        | {"systemctl", "terraform", "ufw", "umount", "unzip", "useradd", "wget", "yum", "zip"}
    )
    | BUILTINS
    | POSIX
) - {".", ":"}
_ENGLISH = frozenset(
    {"break", "command", "continue", "cut", "date", "exit", "expect", "export", "find", "fold"}
    | {"head", "id", "install", "ip", "join", "let", "local", "make", "mount", "paste", "read"}
    | {"return", "service", "set", "shift", "sort", "source", "split", "sync", "tail", "test"}
    | {"time", "times", "touch", "trap", "type", "wait", "who", "ping", "true", "false", "ps"}
)
_PLACES = ("/usr/", "/opt/", "/bin/", "/sbin/", "/etc/init.d/", "./")
_ARGUMENT = re.compile(r"[-/$\"'~.]")
_ACCOUNT = r"\[?[\w.-]{1,40}@[\w.-]{1,80}[^\n$#>%]{0,80}[$#>%]"
_PROMPT = re.compile(
    rf"\s*(?:{_ACCOUNT}|[#>%]|PS [A-Z]:[^\n>]{{0,80}}>|>>>|[a-z]{{2,20}}[=-]?[#>])\s+(?P<rest>\S.*)"
)
_OF_A_SHELL = re.compile(rf"\s*(?:{_ACCOUNT}|[$>])\s+(?P<rest>\S.*)")
_OF_PYTHON = re.compile(r"\s*(?:>>>|\.\.\.|In \[\d{1,5}\]:)\s+\S")
_MOST = 50  # lines of a block that are looked at


def is_command(line: str) -> bool:
    """Whether a line reads like one that somebody would type into a shell."""
    words = line.split(maxsplit=2)
    words = words[1:] if words[:1] in (["$"], ["sudo"]) else words
    if not words:
        return False
    name, rest = words[0], words[1] if len(words) > 1 else ""
    if name.startswith(_PLACES) or line.lstrip().startswith(("$ ", "sudo ")):
        return True
    return name in _TOOLS and (name not in _ENGLISH or bool(_ARGUMENT.match(rest)))


def holds_commands(body: str) -> bool:
    return any(map(is_command, body.split("\n", _MOST)[:_MOST]))


def prompted(samples: Sequence[Sample]) -> tuple[int, str] | None:
    """The first line of these outputs that looks like a command after another prompt than “$ ”."""
    for sample in samples:
        for number, text in enumerate(sample.text.split("\n")):
            match = _PROMPT.fullmatch(text[:400])
            if match and (is_command(match["rest"]) or "@" in text[: match.start("rest")]):
                return sample.line + number, text
    return None


def prompt_in_script(kind: Kind, body: str) -> tuple[int, str] | None:
    """The first command of a script, with its line (from 0), if a prompt stands before it."""
    for number, text in enumerate(body.split("\n")):
        if text.strip() and not (text.lstrip().startswith("#") and kind is not Kind.CONSOLE):
            return (number, text) if _is_prompted(kind, text[:400]) else None
    return None


def _is_prompted(kind: Kind, text: str) -> bool:
    if kind is Kind.PYTHON:
        return _OF_PYTHON.match(text) is not None
    match = _OF_A_SHELL.fullmatch(text) if kind in (Kind.BASH, Kind.SH) else None
    return match is not None and (is_command(match["rest"]) or "@" in text)
