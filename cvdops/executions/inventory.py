"""What an environment consists of, as people change it: hosts, groups, databases, addresses, variables."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db import connection, models, transaction

from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.environments.models import (
    AllowedAddress,
    Database,
    Environment,
    EnvironmentVariable,
    Host,
    HostGroup,
)
from cvdops.executions.queries import visible_to
from cvdops.executions.states import ACTIVE
from cvdops.lib.errors import Conflict, Invalid, NotFound, Problem

Part = Host | HostGroup | Database | AllowedAddress | EnvironmentVariable


class PartForm(forms.ModelForm):  # type: ignore[type-arg]
    """A part of an environment as it is typed. The rules are those of its model."""

    called: ClassVar[str]  # one of them, in a sentence
    twice: ClassVar[tuple[str, str]] = ("name", "There is one of this name already.")

    def __init__(self, part: Part, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, instance=part)
        for field in self.fields.values():
            if not isinstance(field.widget, forms.CheckboxInput | forms.CheckboxSelectMultiple):
                field.widget.attrs |= {"class": "input", "autocomplete": "off"}

    def problems(self) -> list[Problem]:
        """Everything that is wrong with what was typed."""
        if self.is_valid():
            try:
                self.instance.validate_constraints()
            except ValidationError:
                self.add_error(*self.twice)
        return [
            Problem(field, str(message))
            for field, messages in self.errors.items()
            for message in messages
        ]


class HostForm(PartForm):
    called = "host"
    transport = forms.ChoiceField(
        label="Reached by",
        choices=tuple((t.value, t.label) for t in (Host.Transport.SSH, Host.Transport.LOCAL)),
        help_text="“This machine” is the one of the worker.",
    )

    class Meta:
        model = Host
        fields = ("name", "transport", "address", "port", "user", "key", "jump", "default")
        labels: ClassVar[dict[str, str]] = {
            "key": "Private key",
            "jump": "Hosts in between",
            "default": "Steps that name no host run here",
        }
        help_texts: ClassVar[dict[str, str]] = {
            "name": "As steps name it: target=web-1.",
            "address": "A name, an IP address, or an alias of the portal's SSH configuration.",
            "port": "Empty: what OpenSSH's configuration says.",
            "user": "Who logs in. Empty: what OpenSSH's configuration says.",
            "key": "A file in the folder keys of the portal's SSH folder, such as cvd-ops.",
            "jump": "user@host:port, several separated by commas.",
        }


class GroupForm(PartForm):
    called = "group"
    hosts = forms.ModelMultipleChoiceField(
        Host.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = HostGroup
        fields = ("name", "hosts")
        help_texts: ClassVar[dict[str, str]] = {"name": "As steps name it: target=web."}

    def __init__(self, part: HostGroup, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(part, data)
        hosts = self.fields["hosts"]
        if isinstance(hosts, forms.ModelMultipleChoiceField):
            hosts.queryset = part.environment.hosts.all()


class DatabaseForm(PartForm):
    called = "database"
    kind = forms.ChoiceField(choices=Database.Kind.choices)

    class Meta:
        model = Database
        fields = ("name", "kind", "location")
        help_texts: ClassVar[dict[str, str]] = {
            "location": "A path or a connection string without a password. May name variables of "
            "the environment: ${DATABASE_PATH}.",
        }


class AddressForm(PartForm):
    called = "allowed address"
    twice = ("host", "It is allowed already.")

    class Meta:
        model = AllowedAddress
        fields = ("host", "port")
        help_texts: ClassVar[dict[str, str]] = {
            "host": "As http steps write it. They reach no other address.",
        }


class VariableForm(PartForm):
    called = "variable"

    class Meta:
        model = EnvironmentVariable
        fields = ("name", "value")
        help_texts: ClassVar[dict[str, str]] = {
            "name": "As steps name it: ${DATA_DIR}.",
            "value": "Everybody reads it. What is secret belongs to the secrets.",
        }

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if self.instance.environment.secrets.filter(name=name, replaced_at=None).exists():
            raise ValidationError("It is a secret of this environment: remove that first.")
        return name


FORMS: Mapping[str, type[PartForm]] = {
    "hosts": HostForm,
    "groups": GroupForm,
    "databases": DatabaseForm,
    "addresses": AddressForm,
    "variables": VariableForm,
}


def environment(slug: str) -> Environment:
    """Raises NotFound."""
    found = Environment.objects.filter(pk=slug).first()
    if found is None:
        raise NotFound("environment")
    return found


def host(slug: str, name: str) -> Host:
    """Raises NotFound."""
    found = Host.objects.select_related("environment").filter(environment=slug, name=name).first()
    if found is None:
        raise NotFound("host")
    return found


def parts(slug: str, kind: str) -> list[Part]:
    """All of this kind that the environment has. Raises NotFound."""
    if kind not in FORMS:
        raise NotFound
    model: type[models.Model] = FORMS[kind]._meta.model
    return list(model._default_manager.filter(environment=environment(slug)))  # type: ignore[arg-type]


def form(slug: str, kind: str, pk: int | None, data: Mapping[str, Any] | None = None) -> PartForm:
    """What is there, or a new one without `pk`, to be shown or saved. Raises NotFound."""
    if kind not in FORMS:
        raise NotFound
    model: type[models.Model] = FORMS[kind]._meta.model
    place = environment(slug)
    if pk is None:
        return FORMS[kind](model(environment=place), data)  # type: ignore[arg-type]
    part = model._default_manager.filter(environment=place, pk=pk).first()
    if part is None:
        raise NotFound(FORMS[kind].called)
    return FORMS[kind](part, data)  # type: ignore[arg-type]


def save(user: User, slug: str, kind: str, pk: int | None, data: Mapping[str, Any]) -> Part:
    """Add one, or change the one with this key. Raises NotFound, Refused, Invalid, Conflict."""
    can(user, Action.EDIT_ENVIRONMENTS).enforce()
    with transaction.atomic():
        one_at_a_time(slug)
        typed = form(slug, kind, pk, data)
        part: Part = typed.instance
        before = facts(typed) if pk else {}
        if pk and isinstance(part, Host):
            refuse_in_use(user, part)
        if typed.is_valid() and isinstance(part, Host) and part.default:
            Host.objects.filter(environment=slug).exclude(pk=part.pk).update(default=False)
        if problems := typed.problems():
            raise Invalid(problems)
        typed.save()
        after = facts(typed)
        if before != after:
            _audit(user, slug, "change" if pk else "add", f"{typed.called} {part}", before, after)
    return part


def remove(user: User, slug: str, kind: str, pk: int) -> None:
    """Take it out of the environment. Raises NotFound, Refused, Conflict."""
    can(user, Action.EDIT_ENVIRONMENTS).enforce()
    with transaction.atomic():
        one_at_a_time(slug)
        found = form(slug, kind, pk)
        part: Part = found.instance
        if isinstance(part, Host):
            refuse_in_use(user, part)
        _audit(user, slug, "remove", f"{found.called} {part}", facts(found), {})
        part.delete()


def set_health(user: User, slug: str, url: str) -> None:
    """Say where the environment's health is asked; empty: nowhere. Raises NotFound, Refused, Invalid."""
    can(user, Action.EDIT_ENVIRONMENTS).enforce()
    with transaction.atomic():
        one_at_a_time(slug)
        place = environment(slug)
        before, place.health_url = place.health_url, url
        try:
            place.clean_fields(exclude={"slug", "name"})
        except ValidationError as error:
            raise Invalid([Problem("health_url", " ".join(error.messages))]) from None
        if before != url:
            place.save(update_fields=["health_url"])
            what = "health endpoint"
            _audit(user, slug, "change", what, {"health_url": before}, {"health_url": url})


def facts(shown: PartForm) -> dict[str, object]:
    """What the part says, as JSON values."""
    values = forms.model_to_dict(shown.instance, list(shown.fields))
    return {
        name: [str(one) for one in value] if isinstance(value, list) else value
        for name, value in values.items()
    }


def users_of(host: Host) -> list[int]:
    """The numbers of the executions that have not ended and whose plan has the host, the first ones."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT number FROM executions_execution
             WHERE environment_id = %s AND state = ANY(%s)
               AND jsonb_path_exists(plan, '$.**.hosts.*.id ? (@ == $host)',
                                     jsonb_build_object('host', %s::bigint))
             ORDER BY number LIMIT 5
            """,
            [host.environment_id, sorted(ACTIVE), host.pk],
        )
        return [number for (number,) in cursor.fetchall()]


def known_users_of(user: User, host: Host) -> list[int]:
    """Those of them that exist for this person."""
    seen = visible_to(user).filter(number__in=users_of(host)).order_by("number")
    return list(seen.values_list("number", flat=True))


def refuse_in_use(user: User, host: Host) -> None:
    """Raises Conflict while an execution runs there or is about to."""
    if not users_of(host):
        return
    numbers = [f"#{number}" for number in known_users_of(user, host)]
    who = f"execution {', '.join(numbers)}" if numbers else "an execution that you may not see"
    raise Conflict(
        f"{host.name} is used by {who}. Wait for the end, or cancel it, and then change the host.",
        "The host is in use",
    )


def one_at_a_time(slug: str) -> None:
    """Two people who change an environment at once wait for each other here. Raises NotFound."""
    if not Environment.objects.select_for_update(no_key=True).filter(pk=slug).only("pk").first():
        raise NotFound("environment")


def _audit(
    user: User,
    slug: str,
    verb: str,
    what: str,
    before: Mapping[str, object],
    after: Mapping[str, object],
) -> None:
    """Record what differs."""
    changed = {name for name in {**before, **after} if before.get(name) != after.get(name)}
    data = {
        "verb": verb,
        "what": what,
        "before": {name: value for name, value in before.items() if name in changed},
        "after": {name: value for name, value in after.items() if name in changed},
    }
    record(user, Action.EDIT_ENVIRONMENTS, "environment", slug, data=data)
