"""The dry run: what is looked for, where, and what the page says of it."""

import pytest
from django.test import Client

from cvdops.environments.models import Host
from cvdops.executions import probes, services
from cvdops.executions.models import Execution, HostCheck
from cvdops.lib.errors import Refused
from tests.cast import person
from tests.web.world import World

GREET = {"procedure": "greet", "environment": "development"}


def dry_run(client: Client, **values: str) -> str:
    """The answer in place."""
    headers = {"HX-Request": "true"}
    answer = client.post("/runbooks/deployment/dry-run/", {**GREET, **values}, headers=headers)
    assert answer.status_code in {200, 422}
    return answer.content.decode()


def test_each_host_is_asked_for_the_commands_of_the_steps(world: World) -> None:
    made = services.dry_run(person("devops-engineer"), runbook="deployment", **GREET)
    assert [(check.host.name, check.tools) for check in made.checks] == [("practice", ["bash"])]
    assert not Execution.objects.exists()


def test_a_command_that_is_missing_is_said_in_place(world: World, transactional_db: None) -> None:
    document = world.folder / "deployment.md"
    document.write_text(document.read_text().replace("echo hello", "sudo no-such-command --all"))
    client = world.client("operations-lead")
    client.post("/catalog/sync/")
    assert 'hx-trigger="every 1s"' in dry_run(client)
    check = HostCheck.objects.get()
    assert check.tools == ["bash", "no-such-command", "sudo"]
    probes.carry_out(check.pk)
    html = client.get(f"/runbooks/deployment/dry-run/?check={check.pk}").content.decode()
    assert "not all is well" in html and "no-such-command" in html and "every 1s" not in html


def test_problems_are_named_and_no_host_is_asked(world: World) -> None:
    html = dry_run(world.client("devops-engineer"), procedure="release")
    assert "It could not be started." in html and "TARGET_VERSION" in html
    assert not HostCheck.objects.exists()


def test_it_needs_the_right_to_start(world: World) -> None:
    with pytest.raises(Refused):
        services.dry_run(person("developer"), runbook="deployment", **GREET)


def test_a_host_of_a_group_is_asked_too(world: World) -> None:
    other = Host.objects.create(environment_id="development", name="other", transport="local")
    other.environment.groups.create(name="all").hosts.set(Host.objects.all())
    document = world.folder / "deployment.md"
    document.write_text(document.read_text().replace("{#hello}", "{#hello target=all}"))
    world.client("operations-lead").post("/catalog/sync/")
    made = services.dry_run(person("devops-engineer"), runbook="deployment", **GREET)
    assert [check.host.name for check in made.checks] == ["other", "practice"]


def test_the_launch_page_offers_it_beside_start(world: World) -> None:
    address = "/runbooks/deployment/run/?procedure=greet&environment=development"
    assert 'hx-post="/runbooks/deployment/dry-run/"' in (
        world.client("devops-engineer").get(address).content.decode()
    )
    assert "dry-run/" not in world.client("developer").get(address).content.decode()


def test_what_is_no_test_is_not_found(world: World) -> None:
    client = world.client("devops-engineer")
    assert client.get("/runbooks/deployment/dry-run/?check=1").status_code == 404
