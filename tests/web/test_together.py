"""Several reads in one statement find what each finds alone."""

from uuid import UUID

import pytest
from django.db import connection
from django.db.models import Count, F, JSONField, Model, Q, QuerySet, Value
from django.test.utils import CaptureQueriesContext

from cvdops.access.models import Delegation, Role
from cvdops.accounts.models import User
from cvdops.catalog.models import Runbook
from cvdops.environments.models import Environment, Host
from cvdops.environments.vault import EnvironmentSecret
from cvdops.executions.models import Event, Execution, Participant, StepRun
from cvdops.lib.ids import uuid7
from cvdops.lib.once import one_look
from cvdops.lib.together import Fixed, Read, Rows, ahead, attach, read, together
from tests.web.world import World


@Read
def hosts(environment: str) -> QuerySet[Host]:
    return Host.objects.filter(environment=environment)


@Read
def names(environment: str) -> QuerySet[Host, str]:
    return hosts.ask(environment).values_list("name", flat=True)


READS = [
    lambda: Execution.objects.select_related(
        "runbook", "version", "environment", "requested_by", "closing"
    ).defer("sealed"),
    lambda: Event.objects.select_related("actor", "step").order_by("-seq")[:3],
    lambda: StepRun.objects.order_by("execution_id", "-position").distinct("execution_id"),
    lambda: Participant.objects.select_related("user").annotate(since=F("joined_at")),
    lambda: User.objects.order_by("pk"),
    lambda: Role.objects.values_list("slug", "name", "leads"),
    lambda: Role.objects.values_list("slug", flat=True).union(User.objects.values_list("username")),
    lambda: StepRun.objects.values("kind").annotate(n=Count("pk")).values_list("kind", "n"),
    lambda: Host.objects.filter(pk__in=[]),
    lambda: Delegation.objects.filter(Q(giver__name="%s") | Q(reason__contains="100%")),
    lambda: Environment.objects.annotate(
        text=Value("a “quoted” \\ word\n", output_field=JSONField())
    ),
]


@pytest.mark.parametrize("number", range(len(READS)))
def test_a_read_finds_together_what_it_finds_alone(number: int, world: World) -> None:
    world.start(), world.start(), world._delegation()
    (found,) = together(READS[number]())
    assert list(map(_plain, found)) == list(map(_plain, READS[number]()))


def _plain(found: object) -> object:
    """What is compared of an instance: what it holds, and the same of what was read with it."""
    if not isinstance(found, Model):
        return found
    values = {name: value for name, value in vars(found).items() if name != "_state"}
    return values, {name: _plain(one) for name, one in found._state.fields_cache.items()}


def test_all_of_them_are_one_statement(world: World) -> None:
    world.start()
    with CaptureQueriesContext(connection) as queries:
        found = together(*(ask() for ask in READS))
    assert len(queries) == 1
    assert [len(rows) for rows in found] == [len(list(ask())) for ask in READS]


def test_nothing_binary_is_read(world: World) -> None:
    EnvironmentSecret.objects.create(
        environment_id="development", name="A", version=1, sealed=b"x", set_by=User.objects.create()
    )
    with pytest.raises(TypeError):
        together(EnvironmentSecret.objects.all())


def test_what_is_read_ahead_is_not_asked_again_in_the_same_look(world: World) -> None:
    with one_look():
        ahead(hosts.of("development"), names.of("development"))
        with CaptureQueriesContext(connection) as queries:
            assert [host.name for host in hosts("development")] == names("development")
        assert len(queries) == 0
    with CaptureQueriesContext(connection) as queries:
        ahead(hosts.of("development"))  # no look: nothing is kept, and so nothing is read
        assert len(queries) == 0
        assert hosts("development") and read(hosts.of("development"))[0]
        assert len(queries) == 2


def test_what_is_written_in_sql_is_read_with_them(world: World) -> None:
    sql = "SELECT name, %(said)s || ' 100%%' AS said, now() AS at FROM environments_host WHERE name = %(name)s"
    written = Rows(sql, {"name": "practice", "said": "at %s"})
    with CaptureQueriesContext(connection) as queries:
        (row,), found = together(written, Host.objects.filter(name="practice"))
    assert len(queries) == 1
    assert (row["name"], row["said"], len(found)) == ("practice", "at %s 100%", 1)
    assert [one["name"] for one in written] == ["practice"]


def test_a_fixed_read_is_made_once_and_asked_each_time(world: World) -> None:
    made = []

    @Fixed
    def titles(runbook: str) -> QuerySet[Runbook]:
        made.append(runbook)
        return Runbook.objects.filter(pk=runbook).select_related("current")

    for title in ("Deployment", "Another"):
        Runbook.objects.filter(pk="deployment").update(title=title)
        assert [(one.title, one.current is not None) for one in titles("deployment")] == [
            (title, True)
        ]
    assert titles("security-audit") and titles("nothing") == []
    assert made == ["deployment", "security-audit", "nothing"]


def test_the_statement_of_a_fixed_read_is_the_same_whichever_id_it_is_about(world: World) -> None:
    made = []

    @Fixed
    def steps(execution_id: UUID) -> QuerySet[StepRun]:
        made.append(execution_id)
        return StepRun.objects.filter(execution=execution_id)

    for execution in (world.start(), world.start()):
        assert {step.execution_id for step in steps(execution.pk)} == {execution.pk}
    assert steps(uuid7()) == [] and len(made) == 1


def test_a_fixed_read_may_be_about_any_number_of_ids(world: World) -> None:
    execution = world.start()

    @Fixed
    def these(ids: tuple[UUID, ...]) -> QuerySet[Execution, UUID]:
        return Execution.objects.filter(pk__in=ids).values_list("pk", flat=True)

    assert these((*(uuid7() for _ in range(1000)), execution.pk)) == [execution.pk]


def test_a_fixed_read_that_does_more_with_an_id_than_compare_it_is_refused(world: World) -> None:
    execution = world.start()

    @Fixed
    def numbered(execution_id: UUID) -> QuerySet[StepRun]:
        return StepRun.objects.filter(position=int(execution_id) % 1000)

    with pytest.raises(TypeError, match="numbered"):
        numbered(execution.pk)


def test_related_rows_are_attached_as_a_prefetch_would(world: World) -> None:
    environments, found = together(Environment.objects.all(), Host.objects.all())
    attach(environments, "hosts", found, "environment_id")
    wanted = {e.slug: list(e.hosts.all()) for e in Environment.objects.all()}
    with CaptureQueriesContext(connection) as queries:
        assert {e.slug: list(e.hosts.all()) for e in environments} == wanted
    assert len(queries) == 0
