"""Tests of hosts by a worker: claimed once, written step by step, and what becomes of host keys."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from cvdops.audit.models import AuditEntry
from cvdops.environments.models import Host
from cvdops.executions import inventory, keys, probes
from cvdops.executions.leases import HOLDS
from cvdops.executions.models import HostCheck
from cvdops.lib.errors import Conflict, Invalid, Refused
from tests.executions.scene import Scene
from tests.executions.test_children import child_block
from tests.executions.test_engine import block
from tests.sshd import Sshd, ssh_server


@pytest.fixture(scope="module")
def server() -> Iterator[Sshd]:
    with ssh_server() as running:
        yield running


@pytest.fixture
def far(scene: Scene, server: Sshd) -> Host:
    """A host that nobody has confirmed the key of."""
    return add(scene, server, "far")


@pytest.fixture
def known(far: Host, server: Sshd) -> Host:
    """The same, confirmed."""
    key = server.key
    far.keys.create(kind=key.kind, key=key.key, fingerprint=key.fingerprint)
    return far


def move(host: Host, other: Sshd) -> None:
    """Another machine answers behind the name; who logs in there is let in."""
    other.installation(Path(settings.SSH_DIR))
    Host.objects.filter(pk=host.pk).update(port=other.port, user=other.login.user)


def add(scene: Scene, server: Sshd, name: str) -> Host:
    server.installation(Path(settings.SSH_DIR))
    return Host.objects.create(
        environment=scene.environment,
        name=name,
        transport="ssh",
        address="127.0.0.1",
        port=server.port,
        user=server.login.user,
        key="test",
    )


def looked_at(scene: Scene, name: str) -> HostCheck:
    check = probes.ask(scene.person("devops-engineer"), "development", name)
    probes.carry_out(check.pk)
    check.refresh_from_db()
    return check


def states(check: HostCheck) -> dict[str, str]:
    return {result["name"]: result["state"] for result in check.results}


def test_this_machine_is_tested_for_what_runbooks_declare(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    check = looked_at(scene, "here")
    assert "seq" in check.tools
    assert states(check)["tools"] == "ok"
    assert check.done_at


def test_a_test_under_way_is_not_asked_for_twice(scene: Scene) -> None:
    engineer = scene.person("devops-engineer")
    first = probes.ask(engineer, "development", "here")
    assert probes.ask(engineer, "development", "here") == first


def test_a_test_is_done_once(scene: Scene) -> None:
    check = looked_at(scene, "here")
    done_at = check.done_at
    probes.carry_out(check.pk)
    check.refresh_from_db()
    assert check.done_at == done_at


def test_what_lost_its_worker_is_asked_for_again(scene: Scene) -> None:
    check = probes.ask(scene.person("devops-engineer"), "development", "here")
    assert probes.due(["env.development"], 9) == []
    begun = timezone.now() - probes.LIMIT - timedelta(seconds=1)
    HostCheck.objects.filter(pk=check.pk).update(begun_at=begun)
    assert probes.due(["env.production", "env.development"], 9) == [check.pk]
    assert probes.due(["env.production"], 9) == []
    probes.carry_out(check.pk)
    assert probes.due(["env.development"], 9) == []


def test_a_worker_that_leaves_gives_the_test_back(scene: Scene) -> None:
    HOLDS.drain()
    try:
        check = looked_at(scene, "here")
    finally:
        HOLDS.draining.clear()
    assert (check.begun_at, check.done_at, len(check.results)) == (None, None, 1)


def test_a_host_that_only_a_child_will_use_is_in_use(scene: Scene) -> None:
    other = Host.objects.create(environment=scene.environment, name="other", transport="local")
    scene.other("inner", block("in", "true", "target=other"))
    scene.runbook(block("one", "true") + child_block())
    assert inventory.users_of(other) == []
    execution = scene.start()
    assert inventory.users_of(other) == [execution.number]


def test_who_executes_nothing_may_not_test(scene: Scene) -> None:
    with pytest.raises(Refused, match="people who may execute"):
        probes.ask(scene.person("auditor"), "development", "here")


def test_only_the_newest_are_kept(scene: Scene) -> None:
    old = HostCheck.objects.bulk_create(
        HostCheck(host=Host.objects.get(), requested_by=scene.person("auditor"), done_at=None)
        for _ in range(probes.KEPT)
    )
    HostCheck.objects.update(done_at=timezone.now())
    probes.ask(scene.person("devops-engineer"), "development", "here")
    assert HostCheck.objects.count() == probes.KEPT
    assert not HostCheck.objects.filter(pk=min(one.pk for one in old)).exists()


class TestKeys:
    """From an unknown host to one that steps are sent to, and back when its key changes."""

    def test_nothing_runs_before_a_person_has_confirmed(
        self, scene: Scene, far: Host, server: Sshd
    ) -> None:
        scene.runbook(block("one", "id -un", "target=far"))
        with pytest.raises(Invalid, match="Nobody has confirmed the key of far yet"):
            scene.start()
        assert states(looked_at(scene, "far"))["host key"] == "failed"
        lead = scene.person("operations-lead")
        made = keys.confirm(lead, "development", "far", server.key.fingerprint)
        assert made.confirmed_by == lead
        assert states(looked_at(scene, "far"))["login"] == "ok"
        assert scene.output(scene.run(), "one") == f"{server.login.user}\n"

    def test_the_confirmation_is_audited(self, scene: Scene, far: Host, server: Sshd) -> None:
        looked_at(scene, "far")
        keys.confirm(scene.person("admin"), "development", "far", server.key.fingerprint)
        entry = AuditEntry.objects.get(action="host.confirm_key")
        assert (entry.data["verb"], entry.data["after"]) == ("confirm", server.key.fingerprint)

    def test_confirming_needs_the_right(self, scene: Scene, far: Host, server: Sshd) -> None:
        looked_at(scene, "far")
        with pytest.raises(Refused, match="administrators and Operations Leads"):
            keys.confirm(
                scene.person("devops-engineer"), "development", "far", server.key.fingerprint
            )

    def test_what_no_test_has_seen_cannot_be_confirmed(self, scene: Scene, far: Host) -> None:
        looked_at(scene, "far")
        with pytest.raises(Conflict, match="does not show this key"):
            keys.confirm(scene.person("admin"), "development", "far", "SHA256:typed")

    @pytest.mark.parametrize("kind", ["ed25519", "rsa"])
    def test_no_step_is_sent_to_a_host_with_another_key(
        self, scene: Scene, known: Host, kind: str
    ) -> None:
        scene.runbook(block("one", "touch ~/it-ran", "target=far"))
        with ssh_server(kind=kind) as other:
            move(known, other)
            execution = scene.run()
            assert "NOT the one that was confirmed" in scene.steps(execution)["one"].note
            assert (execution.state, scene.steps(execution)["one"].attempt_count) == ("waiting", 0)
            assert "Accepted" not in other.log
            assert not (other.login.home / "it-ran").exists()

    def test_a_changed_key_is_replaced_with_a_reason(self, scene: Scene, known: Host) -> None:
        scene.runbook(block("one", "echo it ran", "target=far"))
        planned, admin = scene.start(), scene.person("admin")
        with ssh_server() as other:
            move(known, other)
            assert keys.standing(known, looked_at(scene, "far")) is keys.Standing.CHANGED
            with pytest.raises(Invalid, match="Say why the key has changed"):
                keys.confirm(admin, "development", "far", other.key.fingerprint)
            keys.confirm(admin, "development", "far", other.key.fingerprint, "reinstalled")
            assert scene.output(scene.run(), "one") == "it ran\n"
        assert "were changed" in scene.steps(scene.advance(planned))["one"].note
