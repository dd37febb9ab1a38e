"""The secrets of an environment: runbooks get them by name, and nobody reads them."""

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone

from cvdops.audit.models import AuditEntry
from cvdops.environments import vault
from cvdops.environments.models import EnvironmentSecret
from cvdops.executions import context, secrets
from cvdops.executions.models import Execution
from cvdops.lib.errors import Conflict, Invalid, Refused
from cvdops.lib.sealing import SealBroken
from tests.executions.scene import Scene
from tests.executions.test_engine import block
from tests.executions.test_windows import HOUR, due, window

VALUE = "kept-from-everybody-$HOME 'x'"
KEY = "-----BEGIN KEY-----\nline-of-the-key-1\nline-of-the-key-2\n-----END KEY-----\n"


def put(scene: Scene, value: str = VALUE, name: str = "API_TOKEN") -> EnvironmentSecret:
    return secrets.set_secret(scene.person("operations-lead"), "development", name, value)


@pytest.mark.parametrize("value", [VALUE, KEY])
def test_a_step_that_names_it_gets_it_and_its_output_is_masked(scene: Scene, value: str) -> None:
    put(scene, value)
    scene.runbook(block("one", 'printf "%s" "$API_TOKEN" | wc -c; echo "got: $API_TOKEN"'))
    execution = scene.run()
    length, _, rest = scene.output(execution, "one").partition("\n")
    assert int(length) == len(value)
    assert rest.startswith("got: ") and not any(line in rest for line in value.split("\n") if line)


def test_a_declared_secret_needs_not_be_given(scene: Scene) -> None:
    put(scene)
    declared = "variables: {API_TOKEN: {secret: true, required: true}}\n"
    scene.runbook(block("one", 'test -n "$API_TOKEN"'), extra=declared)
    assert scene.run().state == "succeeded"


def test_what_is_given_comes_before_it(scene: Scene) -> None:
    put(scene)
    declared = "variables: {API_TOKEN: {secret: true}}\n"
    scene.runbook(block("one", 'test "$API_TOKEN" = another-value'), extra=declared)
    assert scene.run(variables={"API_TOKEN": "another-value"}).state == "succeeded"


def test_who_does_not_name_it_does_not_get_it(scene: Scene) -> None:
    put(scene)
    scene.runbook(block("one", "env"))
    execution = scene.run()
    assert "API_TOKEN" not in scene.output(execution, "one")
    assert context.secrets(execution) == {}


def test_the_plan_has_its_version_and_the_log_who_read_it(scene: Scene) -> None:
    put(scene)
    put(scene)
    scene.runbook(block("one", 'echo "$API_TOKEN"'))
    execution = scene.start()
    assert execution.plan["secrets"] == {"API_TOKEN": 2}
    entry = AuditEntry.objects.get(action="secrets.read")
    assert entry.actor == execution.requested_by
    assert entry.data == {"secrets": {"API_TOKEN": 2}, "execution": str(execution.pk)}


def test_another_version_is_another_plan(scene: Scene) -> None:
    put(scene)
    scene.runbook(block("one", 'echo "$API_TOKEN"'))
    before = scene.start().plan_digest
    put(scene)
    assert scene.start().plan_digest != before


def test_what_runs_keeps_what_it_was_planned_with(scene: Scene) -> None:
    put(scene)
    gate = "#### gate\n\n```approval {#gate}\napprovers: [operations-manager]\n```\n\n"
    scene.runbook(block("zero", "true") + gate + block("one", 'printf "%s" "$API_TOKEN" | wc -c'))
    execution = scene.run()
    secrets.remove_secret(scene.person("operations-lead"), "development", "API_TOKEN")
    assert context.secrets(execution) == {"API_TOKEN": VALUE}


def test_what_is_queued_does_not_begin_with_a_replaced_one(scene: Scene) -> None:
    put(scene)
    scene.runbook(block("one", 'echo "$API_TOKEN"', "destructive"))
    opening = window(2 * HOUR)
    execution = scene.run(in_window=True)
    put(scene)
    opening.starts_at = timezone.now() - HOUR / 2
    opening.save()
    due(execution)
    assert scene.advance(execution).state == "cancelled"
    assert "A secret that it was planned with was changed since" in execution.outcome


def test_a_child_gets_it_by_its_own_plan(scene: Scene) -> None:
    put(scene)
    scene.other("child", block("one", 'printf "%s" "$API_TOKEN" | wc -c'))
    scene.runbook("#### start\n\n```runbook {#start}\nrunbook: child\n```\n")
    parent = scene.run()
    child = Execution.objects.get(parent__execution=parent)
    assert context.secrets(child) == {"API_TOKEN": VALUE}
    assert context.secrets(parent) == {}


def test_only_the_newest_version_can_be_opened(scene: Scene) -> None:
    put(scene, "the-first-value")
    put(scene, "the-second-value")
    assert vault.opened("development", {"API_TOKEN": 2}) == {"API_TOKEN": "the-second-value"}
    assert bytes(EnvironmentSecret.objects.get(version=1).sealed) == b""
    with pytest.raises(vault.Replaced):
        vault.opened("development", {"API_TOKEN": 1})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("1ST", VALUE, "Use letters"),
        ("API_TOKEN", "short", "at least 6 characters"),
        ("API_TOKEN", "x" * 70_000, "at most 65536 characters"),
        ("ENVIRONMENT", VALUE, "It is a variable of this environment"),
    ],
)
def test_what_cannot_be_a_secret(scene: Scene, name: str, value: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        put(scene, value, name)


def test_who_may_not_set_one(scene: Scene) -> None:
    engineer = scene.person("devops-engineer")
    with pytest.raises(Refused):
        secrets.set_secret(engineer, "development", "API_TOKEN", VALUE)
    put(scene)
    with pytest.raises(Refused):
        secrets.remove_secret(engineer, "development", "API_TOKEN")


def test_what_is_removed_cannot_be_removed_again(scene: Scene) -> None:
    lead = scene.person("operations-lead")
    put(scene)
    secrets.remove_secret(lead, "development", "API_TOKEN")
    with pytest.raises(Conflict, match="There is no secret API_TOKEN"):
        secrets.remove_secret(lead, "development", "API_TOKEN")


def test_keys_are_rotated_and_the_former_one_is_needed_no_more(scene: Scene) -> None:
    put(scene)
    scene.runbook(block("one", 'echo "$API_TOKEN"'))
    execution, former = scene.run(), settings.SECRET_KEY
    with override_settings(SECRET_KEY="the-newer-key", SECRET_KEY_FALLBACKS=[]):
        with pytest.raises(SealBroken):
            context.secrets(execution)
        with pytest.raises(CommandError, match=r"EnvironmentSecret .*, Execution "):
            call_command("rotate_keys")
    with override_settings(SECRET_KEY="the-newer-key", SECRET_KEY_FALLBACKS=[former]):
        call_command("rotate_keys")
        call_command("rotate_keys")
    with override_settings(SECRET_KEY="the-newer-key", SECRET_KEY_FALLBACKS=[]):
        assert vault.opened("development", {"API_TOKEN": 1}) == {"API_TOKEN": VALUE}
        execution.refresh_from_db()
        assert context.secrets(execution) == {"API_TOKEN": VALUE}
