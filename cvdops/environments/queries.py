"""Reading what an environment consists of, for those who have it read together."""

from django.db.models import QuerySet

from cvdops.environments.models import (
    Environment,
    EnvironmentVariable,
    Host,
    HostKey,
)
from cvdops.lib.together import Fixed, attach


@Fixed
def environments(slug: str) -> QuerySet[Environment]:
    """The one of this name, if there is one."""
    return Environment.objects.filter(pk=slug)


@Fixed
def hosts(environment: str) -> QuerySet[Host]:
    return Host.objects.filter(environment=environment)


@Fixed
def keys(environment: str) -> QuerySet[HostKey]:
    """Those of all its hosts."""
    return HostKey.objects.filter(host__environment=environment)


@Fixed
def variables(environment: str) -> QuerySet[EnvironmentVariable, tuple[str, str]]:
    """Names and values."""
    found = EnvironmentVariable.objects.filter(environment=environment)
    return found.values_list("name", "value")


def environment(slug: str) -> Environment | None:
    """The one of this name with its hosts and their keys."""
    for found in environments(slug):
        placed = hosts(slug)
        attach(placed, "keys", keys(slug), "host_id")
        attach([found], "hosts", placed, "environment_id")
        return found
    return None
