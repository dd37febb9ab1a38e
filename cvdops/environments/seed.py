"""The environments, common variables and contacts of the mission document, as first content."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from cvdops.environments.models import (
    Contact,
    Database,
    Environment,
    EnvironmentVariable,
    Host,
    Period,
)
from cvdops.spec.origin import Origin, OriginError, origin

PRACTICE = "development"  # the environment of the practice CVD
PRACTICE_HOST = "practice"
PRACTICE_URL = "BASE_URL"  # the variable that says where it answers

COMMON = {
    "APPLICATION_DIR": "/opt/cvd/app",
    "DATA_DIR": "/opt/cvd/data",
    "BACKUP_DIR": "/opt/cvd/backups",
    "LOG_DIR": "/opt/cvd/logs",
    "SERVICE_NAME": "cvd",
    "DATABASE_PATH": "/opt/cvd/data/cvd.db",
}

DATABASE = "cvd"

ENVIRONMENTS = (
    # slug, name, protected
    ("development", "Development", False),
    ("staging", "Staging", False),
    ("production", "Production", True),
)

# environment → name, first time, minutes, rule; in UTC
WINDOWS = {
    "production": (
        "Sunday night",
        datetime(2026, 1, 4, 2, tzinfo=UTC),
        120,
        "FREQ=WEEKLY;BYDAY=SU",
    ),
    "staging": (
        "Wednesday evening",
        datetime(2026, 1, 7, 18, tzinfo=UTC),
        120,
        "FREQ=WEEKLY;BYDAY=WE",
    ),
}

_ESCALATION, _SPECIALIST = Contact.Kind.ESCALATION, Contact.Kind.SPECIALIST
_CHANNEL = Contact.Kind.CHANNEL
CONTACTS = (
    (_ESCALATION, "Primary On-Call", "ops-primary@company.com", "P0: paged at once, 15 minutes"),
    (_ESCALATION, "Secondary On-Call", "ops-secondary@company.com", "When nobody has answered"),
    (_ESCALATION, "Operations Manager", "ops-manager@company.com", "Approves emergency work"),
    (_ESCALATION, "CTO", "cto@company.com", "Approves emergency work"),
    (_SPECIALIST, "Security issues", "security-team@company.com", ""),
    (_SPECIALIST, "Database issues", "dba-team@company.com", ""),
    (_SPECIALIST, "Network issues", "network-team@company.com", ""),
    (_SPECIALIST, "Application issues", "dev-team@company.com", ""),
    (_CHANNEL, "Slack channel", "#cvd-operations", "Status updates"),
    (_CHANNEL, "Incident channel", "#cvd-incidents", "Created as needed"),
    (_CHANNEL, "Status page", "https://status.cvd.company.com", "For everybody"),
    (_CHANNEL, "Wiki", "https://wiki.company.com/cvd/operations", "Documentation"),
    (_CHANNEL, "Confluence", "CVD Operations Space", "Documentation"),
    (_CHANNEL, "Git repository", "Update runbooks via pull request", "Documentation"),
)


def seed_environments(practice: Mapping[str, str] | None) -> list[str]:
    """Create what is missing; returns the environments that are new.

    `practice`: the variables of the practice CVD, renewed each time; None: there is none.
    """
    known = set(Environment.objects.values_list("pk", flat=True))
    environments = [
        Environment(
            slug=slug,
            name=name,
            order=order,
            protected=protected,
            practice=practice is not None and slug == PRACTICE,
        )
        for order, (slug, name, protected) in enumerate(ENVIRONMENTS)
    ]
    Environment.objects.bulk_create(environments, ignore_conflicts=True)
    databases = [
        Database(
            environment=environment,
            name=DATABASE,
            kind=Database.Kind.SQLITE,
            location="${DATABASE_PATH}",
        )
        for environment in environments
    ]
    Database.objects.bulk_create(databases, ignore_conflicts=True)
    if not Contact.objects.exists():  # whoever was taken away stays so
        Contact.objects.bulk_create(
            Contact(order=order, kind=kind, name=name, address=address, note=note)
            for kind in Contact.Kind
            for order, (name, address, note) in enumerate(c[1:] for c in CONTACTS if c[0] == kind)
        )
    for environment in environments:
        if not environment.practice:
            EnvironmentVariable.objects.bulk_create(
                _variables(environment, COMMON), ignore_conflicts=True
            )
    if practice is not None:
        _seed_practice(practice)
    return [environment.slug for environment in environments if environment.slug not in known]


def seed_windows(environments: Collection[str]) -> None:
    """The maintenance windows of new environments. Development has none: no restrictions."""
    for environment, (name, starts_at, minutes, rule) in WINDOWS.items():
        if environment in environments:
            Period.objects.create(
                environment_id=environment,
                kind=Period.Kind.WINDOW,
                name=name,
                starts_at=starts_at,
                minutes=minutes,
                rule=rule,
            )


def _seed_practice(practice: Mapping[str, str]) -> None:
    """Its folder and port may have changed since the last start."""
    environment = Environment.objects.get(pk=PRACTICE)
    environment.hosts.get_or_create(
        name=PRACTICE_HOST, defaults={"transport": Host.Transport.LOCAL, "default": True}
    )
    _allow(environment, practice.get(PRACTICE_URL, ""))
    if url := practice.get(PRACTICE_URL, ""):
        Environment.objects.filter(pk=PRACTICE).update(health_url=f"{url.rstrip('/')}/health")
    EnvironmentVariable.objects.bulk_create(
        _variables(environment, practice),
        update_conflicts=True,
        unique_fields=["environment", "name"],
        update_fields=["value"],
    )


def _allow(environment: Environment, url: str) -> None:
    """Let requests reach the practice CVD: where it is now, and no longer where it was."""
    former = environment.variables.filter(name=PRACTICE_URL).exclude(value=url)
    for place in map(_origin, former.values_list("value", flat=True)):
        if place:
            environment.addresses.filter(host=place.host, port=place.port).delete()
    if place := _origin(url):
        environment.addresses.get_or_create(host=place.host, port=place.port)


def _origin(url: str) -> Origin | None:
    try:
        return origin(url)
    except OriginError:
        return None  # somebody has changed it by hand


def _variables(environment: Environment, values: Mapping[str, str]) -> list[EnvironmentVariable]:
    all_values = {"ENVIRONMENT": environment.slug, **values}
    return [
        EnvironmentVariable(environment=environment, name=name, value=value)
        for name, value in all_values.items()
    ]
