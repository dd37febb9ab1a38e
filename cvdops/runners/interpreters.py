"""How each interpreter is made to run a script. Adding one is one function and one entry."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

from cvdops.runners import clients, wrapper
from cvdops.runners.job import Job, StartFailed


@dataclass(frozen=True, slots=True)
class Invocation:
    """What is run, and with what."""

    program: str  # looked for in the search path of the job
    script: str  # the content of the script file
    options: tuple[str, ...] = ()  # between the program and the path of the script
    prelude: str = (
        ""  # content of a file that bash reads first; it finds the script by its name alone
    )
    runner: str = ""  # content of a file that sh runs with program, options and script, instead
    session: bool = False  # it leaves its variables in the job directory


@cache
def prelude_name(content: str) -> str:
    """A constant file's name in the spool: a new version leaves jobs with the old one alone."""
    return f"prelude-{sha256(content.encode()).hexdigest()[:12]}"


def _bash(job: Job) -> Invocation:
    options = ("-eu", "-o", "pipefail") if job.strict else ()
    script = wrapper.BASH_HEAD + job.script
    return Invocation("bash", script, options, prelude=wrapper.BASH_PRELUDE, session=True)


def _sh(job: Job) -> Invocation:
    head = wrapper.SH_HEAD + (wrapper.SH_STRICT if job.strict else "")
    return Invocation("sh", head + job.script, session=True)


def _python(job: Job) -> Invocation:
    return Invocation("python3", job.script, ("-u",))


def _sqlite(job: Job) -> Invocation:
    options = (job.database, "-list" if job.bare else "", _names(job))
    return Invocation("sqlite3", job.script, options, runner=clients.SQLITE)


def _psql(job: Job) -> Invocation:
    options = (job.database, "-At" if job.bare else "", _names(job))
    return Invocation("psql", job.script, options, runner=clients.PSQL)


def _names(job: Job) -> str:
    """Those of the variables that go to the client: without a value they would be NULL to it."""
    missing = [name for name in job.names if name not in job.variables]
    if missing:
        raise StartFailed(
            f"The statements name {', '.join(missing)}, which nobody has set. Declare it under "
            "variables: in the document, or set it in a block before."
        )
    return " ".join(job.names)


INTERPRETERS: Mapping[str, Callable[[Job], Invocation]] = {
    "bash": _bash,
    "sh": _sh,
    "python": _python,
    "sqlite": _sqlite,
    "postgresql": _psql,
}

# The constant files that a spool has before a job begins.
PRELUDES = (wrapper.BASH_PRELUDE, clients.SQLITE, clients.PSQL)
