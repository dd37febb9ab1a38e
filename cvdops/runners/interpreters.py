"""How each interpreter is made to run a script. Adding one is one function and one entry."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from cvdops.runners import wrapper


@dataclass(frozen=True, slots=True)
class Invocation:
    """What is run, and with what."""

    script: str  # the content of the script file
    options: tuple[str, ...] = ()  # between the interpreter and the path of the script
    prelude: str = ""  # content of a file that the interpreter reads first


def prelude_name(content: str) -> str:
    """The prelude's file in the spool: a new version leaves jobs with the old one alone."""
    return f"prelude-{sha256(content.encode()).hexdigest()[:12]}"


def _bash(script: str, strict: bool) -> Invocation:
    options = ("-eu", "-o", "pipefail") if strict else ()
    return Invocation(script, options, prelude=wrapper.BASH_PRELUDE)


def _sh(script: str, strict: bool) -> Invocation:
    head = wrapper.SH_HEAD + (wrapper.SH_STRICT if strict else "")
    return Invocation(head + script)


INTERPRETERS: Mapping[str, Callable[[str, bool], Invocation]] = {"bash": _bash, "sh": _sh}


def preludes() -> frozenset[str]:
    """The contents of all preludes: a spool has them before a job begins."""
    made = {make("", False).prelude for make in INTERPRETERS.values()}
    return frozenset(made - {""})
