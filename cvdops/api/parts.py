"""Hosts, groups, databases, addresses and variables of an environment: added, changed, removed."""

from collections.abc import Mapping
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.api.asking import Asked, Flag, Number, Text
from cvdops.environments.models import Database, Host
from cvdops.executions import inventory
from cvdops.executions.inventory import Part
from cvdops.lib.errors import Invalid, NotFound, Problem

router = Router(tags=["environments"])

Name = Annotated[Text, Field(max_length=80)]
Port = Annotated[Number, Field(ge=1, le=65535)]


class HostAsked(Asked):
    """A machine. What is not said here, OpenSSH's own configuration says."""

    name: Name
    transport: Host.Transport
    address: Annotated[Text, Field(max_length=253)] = ""
    port: Port | None = None
    user: Annotated[Text, Field(max_length=32)] = ""
    key: Annotated[Text, Field(max_length=63)] = ""
    jump: Annotated[Text, Field(max_length=300)] = ""
    default: Flag = Field(False, description="Steps that name no host run here.")


class GroupAsked(Asked):
    """Hosts that a step may name together."""

    name: Name
    hosts: list[Name]


class DatabaseAsked(Asked):
    """A database that `sql` steps name. No password belongs into its location."""

    name: Name
    kind: Database.Kind
    location: Annotated[Text, Field(max_length=500)]


class AddressAsked(Asked):
    """A host and port that `http` steps may talk to."""

    host: Annotated[Text, Field(max_length=253)]
    port: Port


class VariableAsked(Asked):
    """A value that every execution there starts with. Everybody reads it."""

    name: Name
    value: Annotated[Text, Field(max_length=100_000)]


class Saved(Schema):
    """The part as it is now. `name` is that by which it is changed and removed."""

    kind: str
    name: str


@router.post("/environments/{slug}/hosts", response={201: Saved}, url_name="api-host-add")
@requires(Action.EDIT_ENVIRONMENTS, "POST")
def add_host(request: HttpRequest, slug: str, part: HostAsked) -> Status[Saved]:
    """Add a host."""
    return Status(201, _save(request, slug, "hosts", None, part.dict()))


@router.post("/environments/{slug}/hosts/{name}/change", response=Saved, url_name="api-host-change")
@requires(Action.EDIT_ENVIRONMENTS, "POST")
def change_host(request: HttpRequest, slug: str, name: str, part: HostAsked) -> Saved:
    """Change a host that no execution uses."""
    return _save(request, slug, "hosts", name, part.dict())


@router.post("/environments/{slug}/groups", response={201: Saved}, url_name="api-group-add")
@requires(Action.EDIT_ENVIRONMENTS, "POST")
def add_group(request: HttpRequest, slug: str, part: GroupAsked) -> Status[Saved]:
    """Add a group of hosts."""
    return Status(201, _save(request, slug, "groups", None, part.dict()))


@router.post(
    "/environments/{slug}/groups/{name}/change", response=Saved, url_name="api-group-change"
)
@requires(Action.EDIT_ENVIRONMENTS, "POST")
def change_group(request: HttpRequest, slug: str, name: str, part: GroupAsked) -> Saved:
    """Change a group of hosts."""
    return _save(request, slug, "groups", name, part.dict())


@router.post("/environments/{slug}/databases", response={201: Saved}, url_name="api-database-add")
@requires(Action.EDIT_ENVIRONMENTS, "POST")
def add_database(request: HttpRequest, slug: str, part: DatabaseAsked) -> Status[Saved]:
    """Add a database."""
    return Status(201, _save(request, slug, "databases", None, part.dict()))


@router.post(
    "/environments/{slug}/databases/{name}/change", response=Saved, url_name="api-database-change"
)
@requires(Action.EDIT_ENVIRONMENTS, "POST")
def change_database(request: HttpRequest, slug: str, name: str, part: DatabaseAsked) -> Saved:
    """Change a database."""
    return _save(request, slug, "databases", name, part.dict())


@router.post("/environments/{slug}/addresses", response={201: Saved}, url_name="api-address-add")
@requires(Action.EDIT_ENVIRONMENTS, "POST")
def add_address(request: HttpRequest, slug: str, part: AddressAsked) -> Status[Saved]:
    """Allow `http` steps to talk to an address."""
    return Status(201, _save(request, slug, "addresses", None, part.dict()))


@router.post("/environments/{slug}/variables", response={201: Saved}, url_name="api-variable-add")
@requires(Action.EDIT_ENVIRONMENTS, "POST")
def add_variable(request: HttpRequest, slug: str, part: VariableAsked) -> Status[Saved]:
    """Add a variable."""
    return Status(201, _save(request, slug, "variables", None, part.dict()))


@router.post(
    "/environments/{slug}/variables/{name}/change", response=Saved, url_name="api-variable-change"
)
@requires(Action.EDIT_ENVIRONMENTS, "POST")
def change_variable(request: HttpRequest, slug: str, name: str, part: VariableAsked) -> Saved:
    """Change a variable."""
    return _save(request, slug, "variables", name, part.dict())


@router.post(
    "/environments/{slug}/{kind}/{name}/remove", response={204: None}, url_name="api-part-remove"
)
@requires(Action.EDIT_ENVIRONMENTS, "POST")
def remove(request: HttpRequest, slug: str, kind: str, name: str) -> Status[None]:
    """Take one of its `hosts`, `groups`, `databases`, `addresses` or `variables` out of the environment."""
    inventory.remove(person(request), slug, kind, _key(slug, kind, name))
    return Status(204, None)


def _save(
    request: HttpRequest, slug: str, kind: str, name: str | None, data: Mapping[str, Any]
) -> Saved:
    pk = None if name is None else _key(slug, kind, name)
    if kind == "groups":
        data = {**data, "hosts": _hosts(slug, data["hosts"])}
    part: Part = inventory.save(person(request), slug, kind, pk, data)
    return Saved(kind=kind, name=str(part))


def _key(slug: str, kind: str, name: str) -> int:
    """The key of the part with this name. Raises NotFound."""
    parts = inventory.parts(slug, kind)
    found = next((part.pk for part in parts if str(part) == name), None)
    if found is None:
        raise NotFound(inventory.FORMS[kind].called)
    return int(found)


def _hosts(slug: str, names: list[str]) -> list[int]:
    known = {host.name: host.pk for host in inventory.environment(slug).hosts.all()}
    if foreign := [name for name in names if name not in known]:
        raise Invalid([Problem("hosts", f"{slug} has no host {', '.join(foreign)}.")])
    return [known[name] for name in names]
