"""What a step works with, as people see it before it runs: its database, and the values that it names."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from cvdops.executions.plan import Database
from cvdops.spec import sql
from cvdops.spec.document import Kind, Step

_IN_A_SHELL = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(\}?)|\$([A-Za-z_][A-Za-z0-9_]*)")
_IN_PYTHON = re.compile(r"""["']([A-Za-z_][A-Za-z0-9_]*)["']""")


class Input(NamedTuple):
    """A name and its value at the start. `fixed`: no script before or in the step sets it to another."""

    name: str
    value: str
    fixed: bool


class Mention(NamedTuple):
    """Where a variable stands in a text, from `start` to `end`. `whole`: it stands for all of its value."""

    start: int
    end: int
    name: str
    whole: bool = True  # not as in ${NAME#v}


def inputs(
    step: Step,
    values: Mapping[str, str],
    databases: Mapping[str, Database],
    changed: Collection[str],
) -> tuple[Input, ...]:
    """In the order of the step. `changed`: what scripts may have set before its end."""
    named = (Input(n, values[n], n not in changed) for n in _names(step, values))
    return (*_database(step, databases), *named)


def mentions(kind: Kind | None, text: str) -> Iterator[Mention]:
    """Where a step of this kind names its variables; an expected output does so like a shell."""
    if kind is Kind.SQL:
        for found in sql.placeholders(text):
            yield Mention(found.start, found.start + 1 + len(found.name), found.name)
    elif kind is Kind.PYTHON:
        for match in _IN_PYTHON.finditer(text):
            yield Mention(*match.span(), match[1])
    else:
        for match in _IN_A_SHELL.finditer(text):
            yield Mention(*match.span(), match[1] or match[3], whole=match[2] != "")


def _names(step: Step, values: Mapping[str, str]) -> list[str]:
    found = [one.name for one in mentions(step.kind, step.body)]
    for sample in step.samples:  # what it has to print may name more of them
        found += [one.name for one in mentions(None, sample.text)]
    return [name for name in dict.fromkeys(found) if name in values]


def _database(step: Step, databases: Mapping[str, Database]) -> Iterator[Input]:
    found = databases.get(step.attributes.database)
    if step.kind is Kind.SQL and found is not None:
        yield Input("database", f"{step.attributes.database} {found.location}".strip(), fixed=False)
