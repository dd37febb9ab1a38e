"""What a step is on its host: the job that an attempt of it starts."""

from collections.abc import Mapping
from dataclasses import replace

from cvdops.environments.models import Database
from cvdops.executions.models import StepAttempt
from cvdops.executions.run import Try
from cvdops.runners.job import Job
from cvdops.spec import sql
from cvdops.spec.document import Kind, Shell
from cvdops.spec.slugs import slug

_INTERPRETERS: Mapping[Kind, str] = {
    Kind.BASH: "bash",
    Kind.CONSOLE: "bash",
    Kind.SH: "sh",
    Kind.PYTHON: "python",
    Kind.SQL: "",  # its database's
}


def job(attempt: Try) -> Job:
    """The job of this attempt."""
    run, step = attempt.run, attempt.definition
    made = Job(
        attempt=str(attempt.attempt.pk),
        interpreter=_INTERPRETERS[step.kind],
        strict=run.plan.shell is Shell.STRICT,
        script=step.body,
        name=slug(step.id),
        variables=attempt.variables,
        cwd=run.execution.session.get(attempt.step.host, {}).get("cwd", ""),
    )
    return _of_sql(made, attempt) if step.kind is Kind.SQL else made


def nothing(attempt: StepAttempt) -> Job:
    """A job that only claims the attempt: whoever is late with the real one then comes to nothing.

    It leaves no exit code: a worker that finds it later must not take that for an end of the step.
    """
    script = "kill -KILL $PPID"  # of the shell that would write it
    return Job(attempt=str(attempt.pk), interpreter="sh", strict=True, script=script, variables={})


def _of_sql(made: Job, attempt: Try) -> Job:
    """A captured value is to be the value, and not a picture of a table with it."""
    attributes = attempt.definition.attributes
    database = attempt.run.plan.databases[attributes.database]
    postgresql = database.kind == Database.Kind.POSTGRESQL
    return replace(
        made,
        interpreter=database.kind,
        script=sql.for_psql(made.script) if postgresql else made.script,
        database=database.location,
        names=sql.names(made.script),
        bare=bool(attributes.capture),
    )
