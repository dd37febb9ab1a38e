"""What a step works with, as people see it before it runs: its database, and the values that it names."""

import re
from collections.abc import Iterator, Mapping

from cvdops.executions.plan import Database
from cvdops.spec import sql
from cvdops.spec.document import Kind, Step

_IN_A_SHELL = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_IN_PYTHON = re.compile(r"""["']([A-Za-z_][A-Za-z0-9_]*)["']""")


def inputs(
    step: Step, values: Mapping[str, str], databases: Mapping[str, Database]
) -> tuple[tuple[str, str], ...]:
    """Names and values, in the order of the step."""
    return (*_database(step, databases), *((n, values[n]) for n in _names(step, values)))


def _names(step: Step, values: Mapping[str, str]) -> list[str]:
    if step.kind is Kind.SQL:
        found = list(sql.names(step.body))
    else:
        pattern = _IN_PYTHON if step.kind is Kind.PYTHON else _IN_A_SHELL
        found = pattern.findall(step.body)
    for sample in step.samples:  # what it has to print may name more of them
        found += _IN_A_SHELL.findall(sample.text)
    found = list(dict.fromkeys(found))
    return [name for name in found if name in values]


def _database(step: Step, databases: Mapping[str, Database]) -> Iterator[tuple[str, str]]:
    found = databases.get(step.attributes.database)
    if step.kind is Kind.SQL and found is not None:
        yield "database", f"{step.attributes.database} {found.location}".strip()
