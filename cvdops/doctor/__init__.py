"""What is wrong with this installation and how to mend it: `manage.py doctor`.

A check is a function that looks at one thing and returns a finding, or one for each thing of a kind. It
changes nothing, takes a few seconds at most, and a check that breaks is itself a finding.
"""

from collections.abc import Callable, Iterator, Sequence

from cvdops.doctor import (
    log,
    machine,
    messages,
    people,
    servers,
    sources,
    targets,
    vault,
    workers,
)
from cvdops.doctor.finding import Finding, State, wrong

Check = Callable[[], Finding | Sequence[Finding]]

ALONE: tuple[Check, ...] = (
    servers.redis,
    servers.eviction,
    sources.git,
    sources.ssh,
    machine.disk,
    machine.spool,
)
WITH_DATABASE: tuple[Check, ...] = (
    servers.migrations,
    servers.clock,
    servers.durability,
    servers.database_role,
    servers.output,
    workers.queues,
    workers.messages,
    sources.catalog,
    people.demo,
    people.administrators,
    people.approvers,
    log.audit_log,
    vault.secrets,
    messages.channels,
    messages.address,
    machine.account,
    machine.container,
    machine.systemd,
    machine.logind,
    targets.host_keys,
    targets.hosts,
)


def examine() -> Iterator[Finding]:
    """Every finding, as soon as it is known. Without a database only what needs none."""
    (database,) = _look(servers.database)
    yield database
    for check in ALONE + (() if database.state is State.WRONG else WITH_DATABASE):
        yield from _look(check)


def _look(check: Check) -> Sequence[Finding]:
    try:
        found = check()
    except Exception as error:  # whatever a broken installation makes a look end with
        found = wrong(
            check.__name__.replace("_", " "),
            f"The look ended with {type(error).__name__}: {error}",
            "Nothing is known about it.",
            "Read the other findings first; this may follow from one of them.",
        )
    return [found] if isinstance(found, Finding) else found
