"""A role in one environment shows executions and requests there alone, in queries as in the rules."""

from datetime import UTC, datetime

import pytest
from django.db import connections, transaction
from django.db.models.functions import Now
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cvdops.access.levels import Level
from cvdops.access.models import MatrixCell, Role, RoleGrant
from cvdops.access.policy import Action, Matter, can
from cvdops.accounts.models import User
from cvdops.approvals.models import ApprovalRequest
from cvdops.approvals.queries import visible
from cvdops.catalog.models import Runbook
from cvdops.executions import emergencies
from cvdops.executions.emergencies import Declaration
from cvdops.executions.models import Execution
from cvdops.executions.queries import plain_matter, visible_to
from cvdops.executions.trail import entries
from cvdops.notifications.services import note
from tests.access.standings import CATEGORIES, ENVIRONMENTS
from tests.cast import person
from tests.web.access_table import TABLE
from tests.web.test_hidden import NEEDED
from tests.web.world import World

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ROLES = ("developer", "devops-engineer", "auditor")
# Whole rows as often as single cells: only who sees all sees what has no category.
rows = st.one_of(
    st.dictionaries(st.sampled_from(CATEGORIES), st.sampled_from(Level)),
    st.sampled_from(Level).map(lambda level: dict.fromkeys(CATEGORIES, level)),
)
held = st.tuples(st.sampled_from(ROLES), st.sampled_from((None, *ENVIRONMENTS)), st.booleans())


def copies(of: Execution) -> list[Execution]:
    """One execution of each category, and of none, in each environment."""
    made = []
    for category in ("", *CATEGORIES):
        name = f"of-{category or 'none'}"
        Runbook.objects.create(id=name, path=f"{name}.md", title=name, category=category)
        for environment in ENVIRONMENTS:
            copy = Execution(
                runbook_id=name,
                environment_id=environment,
                **{
                    field: getattr(of, field)
                    for field in ("version", "procedure", "requested_by", "plan", "plan_digest")
                },
            )
            copy.save()
            made.append(copy)
    return made


def requests(executions: list[Execution]) -> None:
    ApprovalRequest.objects.bulk_create(
        ApprovalRequest(
            execution_id=execution.pk,
            gate="ask",
            title="Ask",
            category=execution.runbook.category,
            environment=execution.environment_id,
            groups=[],
            requested_by=execution.requested_by,
            expires_at=Now(),
        )
        for execution in executions
    )


def test_queries_show_exactly_what_the_rules_allow(world: World) -> None:
    executions = copies(world.start())
    requests(executions)
    user = User.objects.create(username="somebody", name="Somebody")

    @settings(max_examples=40, suppress_health_check=list(HealthCheck))
    @given(st.fixed_dictionaries(dict.fromkeys(ROLES, rows)), st.lists(held, max_size=4))
    def check(
        matrix: dict[str, dict[str, Level]], grants: list[tuple[str, str | None, bool]]
    ) -> None:
        with transaction.atomic():
            stand(user, matrix, grants)
            may = {
                execution.pk
                for execution in executions
                if can(user, Action.READ_EXECUTION, plain_matter(execution)).allowed
            }
            seen = visible_to(user).filter(pk__in=[execution.pk for execution in executions])
            assert set(seen.values_list("pk", flat=True)) == may
            assert set(visible(user).values_list("execution_id", flat=True)) == may
            transaction.set_rollback(True)

    check()


def stand(
    user: User, matrix: dict[str, dict[str, Level]], grants: list[tuple[str, str | None, bool]]
) -> None:
    MatrixCell.objects.filter(role__in=ROLES).delete()
    MatrixCell.objects.bulk_create(
        MatrixCell(role_id=role, category=category, level=level)
        for role, row in matrix.items()
        for category, level in row.items()
    )
    RoleGrant.objects.bulk_create(
        RoleGrant(
            user=user, role_id=role, environment_id=environment, ends_at=LONG_AGO if over else None
        )
        for role, environment, over in grants
    )


@pytest.fixture
def limited(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The auditor sees deployments in development alone, by a role that they hold there."""
    monkeypatch.setattr(connections, "close_all", lambda: None)
    auditor = person("auditor")
    MatrixCell.objects.filter(role="auditor", category="deployment").update(level=0)
    engineer = Role.objects.get(pk="devops-engineer")
    RoleGrant.objects.create(user=auditor, role=engineer, environment_id="development")
    return world


def run(world: World, environment: str) -> Execution:
    """One in development, or one that was."""
    made = world.start(by="operations-lead", reason=f"MARK {environment}")
    Execution.objects.filter(pk=made.pk).update(environment=environment)
    return Execution.objects.get(pk=made.pk)


def asked(world: World, environment: str) -> ApprovalRequest:
    found = ApprovalRequest.objects.filter(pk=world.request(by="operations-lead"))
    found.update(environment=environment, title=f"MARK {environment}")
    Execution.objects.filter(pk=found.get().execution_id).update(environment=environment)
    return found.get()


def test_nothing_of_an_execution_or_request_elsewhere_exists(limited: World) -> None:
    client = limited.client("auditor")
    request = asked(limited, "production")
    real = {"execution_id": str(request.execution_id), "request_id": str(request.pk)}
    asked_for = 0
    for name, row in sorted(TABLE.items()):
        if not real.keys() & row.kwargs.keys():
            continue
        address = reverse(
            name, kwargs={**row.kwargs, **{n: v for n, v in real.items() if n in row.kwargs}}
        )
        for method in ("get", "post"):
            if getattr(row, method):
                typed = {"content_type": "application/json", "data": row.body}
                body = typed if row.api and method == "post" else {}
                more = NEEDED.get(name, "") if method == "get" else ""
                assert getattr(client, method)(address + more, **body).status_code == 404, (
                    method,
                    address,
                )
                asked_for += 1
    assert asked_for > 20


def test_those_where_the_role_holds_exist(limited: World) -> None:
    client, request = limited.client("auditor"), asked(limited, "development")
    for name, pk in (("execution", request.execution_id), ("approval", request.pk)):
        assert client.get(reverse(name, args=[pk])).status_code == 200


def test_the_list_of_requests_leaves_it_out(limited: World) -> None:
    asked(limited, "development"), asked(limited, "production")
    page = limited.client("auditor").get("/approvals/").content.decode()
    assert "MARK development" in page and "MARK production" not in page


@pytest.mark.parametrize(
    "address", ["/", "/executions/", "/executions/?q=MARK", "/runbooks/deployment/"]
)
def test_no_list_names_one_elsewhere(limited: World, address: str) -> None:
    client = limited.client("auditor")
    here, there = run(limited, "development"), run(limited, "production")
    page = client.get(address).content.decode()
    assert f"#{here.number}" in page and f"#{there.number}" not in page
    assert str(there.pk) not in page


def test_the_last_run_of_a_runbook_is_the_last_that_they_see(limited: World) -> None:
    here, there = run(limited, "development"), run(limited, "production")
    page = limited.client("auditor").get("/runbooks/").content.decode()
    assert str(here.pk) in page and str(there.pk) not in page


def test_the_audit_log_leaves_out_what_was_done_elsewhere(limited: World) -> None:
    here, there = run(limited, "development"), run(limited, "production")
    hidden = asked(limited, "production")
    limited.client("developer").post(f"/executions/{there.pk}/pause/")  # refused, and recorded
    lead = person("operations-lead")
    emergencies.store(there, lead, Declaration("P1", "MARK", None, "MARK"))
    ids = set(entries(person("auditor")).values_list("subject_id", flat=True))
    assert str(here.pk) in ids
    assert not {i for i in ids if str(there.pk) in i or str(hidden.pk) in i}
    assert str(there.pk) in set(entries(lead).values_list("subject_id", flat=True))


def test_a_notice_of_one_elsewhere_is_not_shown(limited: World) -> None:
    for environment in ("development", "production"):
        execution = run(limited, environment)
        path = reverse("execution", args=[execution.pk])
        note(
            [person("auditor")],
            subject="x",
            key=str(execution.pk),
            text=f"MARK {environment}",
            path=path,
        )
    page = limited.client("auditor").get("/notices/").content.decode()
    assert "MARK development" in page and "MARK production" not in page


def test_only_emergencies_that_they_see_are_counted(limited: World) -> None:
    lead = person("operations-lead")
    emergencies.store(run(limited, "production"), lead, Declaration("P1", "MARK", None, "MARK"))
    assert "1 emergency" in limited.client("operations-lead").get("/").content.decode()
    assert "No emergency in" in limited.client("auditor").get("/").content.decode()


def test_the_policy_says_the_same(limited: World) -> None:
    auditor = person("auditor")
    for environment, allowed in (("development", True), ("production", False)):
        subject = Matter("deployment", environment)
        assert can(auditor, Action.READ_EXECUTION, subject).allowed is allowed
