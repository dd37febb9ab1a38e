"""`manage.py doctor`: what is wrong, in words, and how to mend it."""

import json
import os
import shutil
import socket
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now
from pytest_django import Settings

from cvdops import doctor
from cvdops.approvals.seed import seed_policies
from cvdops.audit import witness
from cvdops.audit.models import Witness
from cvdops.catalog.models import CatalogSource
from cvdops.catalog.origin import Origin
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
from cvdops.doctor.finding import Finding, State
from cvdops.environments.models import Environment, Host
from cvdops.executions import context, partitions, queues
from cvdops.executions.secrets import set_secret
from cvdops.lib.ids import uuid7
from cvdops.runners.local import LocalTransport
from cvdops.runners.ssh.known_hosts import HostKey
from tests.cast import person
from tests.hosts import introduce
from tests.sshd import make_key, ssh_server

SERVED = [f"env.{name}" for name in ("development", "staging", "production")]


def assert_wrong(finding: Finding, *words: str) -> None:
    assert finding.state is State.WRONG, finding
    assert finding.means and finding.mend
    assert all(word in finding.found for word in words), finding


def examined(*arguments: str) -> tuple[str, int]:
    out = StringIO()
    try:
        call_command("doctor", *arguments, stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(str(end.code))
    return out.getvalue(), 0


@pytest.mark.usefixtures("world")
def test_it_says_everything_in_words_and_in_json() -> None:
    text, code = examined()
    assert code == 1  # the test has no worker
    assert "WRONG   queues: No worker serves env.development for a day or more" in text
    assert "What to do: Start a worker" in text
    found = json.loads(examined("--json")[0])["findings"]
    assert {"name", "state", "found", "means", "mend"} == found[0].keys()
    assert len(found) == 1 + len(doctor.ALONE) + len(doctor.WITH_DATABASE)
    assert "messages: No worker lives that a message could reach." in text


@pytest.mark.django_db
def test_a_database_that_is_away_is_said_once(settings: Settings) -> None:
    name = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = "nowhere"
    try:
        text, code = examined()
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name
    assert code == 1
    assert "PostgreSQL: It cannot be reached" in text and "queues" not in text


def test_a_check_that_breaks_is_a_finding() -> None:
    def broken_check() -> Finding:
        raise OSError("no such thing")

    (found,) = doctor._look(broken_check)
    assert found.name == "broken check" and "OSError: no such thing" in found.found


def test_a_redis_that_is_away(settings: Settings) -> None:
    assert servers.redis().state is State.OK
    assert servers.eviction().state is State.OK
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert_wrong(servers.redis(), "cannot be reached")


@pytest.mark.usefixtures("world")
def test_queues_without_a_worker_and_workers_without_messages() -> None:
    queues.seen("a", SERVED[:2])
    assert_wrong(workers.queues(), "env.production")
    queues.seen("b", SERVED)
    assert "env.development by 2" in workers.queues().found
    assert workers.messages().found == "Messages reach each of the 2 workers."
    with connection.cursor() as cursor:
        cursor.execute("UPDATE executions_worker SET consumed_at = now() - interval '40 s'")
    assert workers.messages().state is State.WARNING


@pytest.mark.django_db
def test_a_month_of_output_that_has_no_partition() -> None:
    partitions.prepare()
    assert servers.output().state is State.OK
    with connection.cursor() as cursor:
        for month in partitions.months():
            cursor.execute(f"DROP TABLE {month.table}")
    assert servers.output().state is State.WARNING


@pytest.mark.django_db
def test_clocks_that_agree() -> None:
    assert servers.clock().state is State.OK


@pytest.mark.django_db
def test_a_database_that_does_not_wait_for_its_disk(settings: Settings) -> None:
    found = servers.durability()  # that of the tests does not
    assert found.state is State.WARNING and "fsync" in found.found
    settings.PRODUCTION = True
    assert_wrong(servers.durability(), "synchronous_commit")


@pytest.mark.django_db
def test_a_portal_that_could_change_the_audit_log(settings: Settings) -> None:
    assert servers.database_role().state is State.OK
    settings.PRODUCTION = True
    assert "manage.py grant" in servers.database_role().mend


def test_messages_that_link_nowhere(settings: Settings) -> None:
    assert messages.address().state is State.OK
    settings.NOTIFY = {"slack": "slack://x"}
    assert messages.address().state is State.WARNING
    settings.PORTAL_URL = "https://ops.example.com"
    assert messages.address().state is State.OK


@pytest.mark.usefixtures("world")
def test_a_source_that_cannot_be_read() -> None:
    CatalogSource.objects.update(problem="It is not there.")
    assert_wrong(sources.catalog(), "It is not there.")


@pytest.mark.usefixtures("world")
def test_a_source_that_the_settings_name_and_the_catalog_was_not_read_from(
    settings: Settings, tmp_path: Path
) -> None:
    place = {"location": str(tmp_path), "branch": "", "folder": ""}
    CatalogSource.objects.update(**place, problem="", looked_at=Now(), read_at=Now())
    settings.RUNBOOKS = Origin(str(tmp_path))
    assert sources.catalog().state is State.OK
    settings.RUNBOOKS = Origin(str(tmp_path), "main")
    assert sources.catalog().state is State.WARNING
    settings.RUNBOOKS = Origin("/nonexistent")
    assert_wrong(sources.catalog(), "CVDOPS_RUNBOOKS", "/nonexistent")


@pytest.mark.django_db
def test_an_audit_log_that_is_not_whole(settings: Settings, tmp_path: Path) -> None:
    settings.AUDIT_HEADS = tmp_path / "heads"
    assert log.audit_log().state is State.WARNING  # no worker has looked
    witness.look()
    assert log.audit_log().state is State.OK
    Witness.objects.update(outside="No space left.")
    assert log.audit_log().state is State.WARNING
    Witness.objects.update(problem="Entry 3 was changed.")
    assert_wrong(log.audit_log(), "Entry 3 was changed.")


@pytest.mark.usefixtures("world")
def test_an_installation_without_an_administrator() -> None:
    assert "manage.py person" in people.administrators().mend
    person("admin")
    assert people.administrators().state is State.OK


@pytest.mark.usefixtures("world")
def test_a_policy_that_nobody_can_meet() -> None:
    for role in ("operations-manager", "operations-lead"):
        person(role)
    assert people.approvers().state is State.OK  # there is none
    seed_policies()
    found = people.approvers()
    assert found.state is State.WARNING and found.mend
    assert "production × security, always. Nobody could ever meet it: 1 of sec" in found.found
    person("security-admin")
    assert people.approvers().state is State.OK


def test_keys_that_others_can_read(settings: Settings, tmp_path: Path) -> None:
    settings.SSH_DIR = tmp_path
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "one").write_text("")
    (tmp_path / "keys" / "one").chmod(0o644)
    tmp_path.chmod(0o700)
    assert_wrong(sources.ssh(), "keys/one")
    (tmp_path / "keys" / "one").chmod(0o600)
    assert sources.ssh().state is State.OK


def test_too_little_room(settings: Settings) -> None:
    settings.DISK_RESERVE = 1 << 40
    assert_wrong(machine.disk(), "MB where")


def test_a_spool_in_memory(settings: Settings) -> None:
    settings.SPOOL_DIR = Path("/dev/shm/spool")
    assert machine.spool().state is State.WARNING


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine on which nothing outlives a worker, whose files lie here."""
    root = tmp_path / "machine"
    group = "0::/user.slice/session-1.scope\n1::/system.slice/worker.service\n"
    for name, text in {
        ".dockerenv": "",
        "proc/1/cgroup": "0::/\n",
        f"proc/{os.getpid()}/cgroup": group,
        "etc/systemd/logind.conf.d/own.conf": "[Login]\nKillUserProcesses = yes\n",
        "bin/systemctl": "#!/bin/sh\necho control-group\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "bin/systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{root}/bin:{os.environ['PATH']}")
    monkeypatch.setattr(machine, "ROOT", root)
    return root


@pytest.mark.usefixtures("world", "system")
def test_steps_that_would_end_with_their_worker(settings: Settings) -> None:
    settings.PRODUCTION = True
    queues.seen(f"{socket.gethostname()}:{os.getpid()}", SERVED)
    assert_wrong(machine.container(), "This is a container")
    assert_wrong(machine.systemd(), "worker.service has KillMode=control-group")
    assert_wrong(machine.logind(), "KillUserProcesses=yes")
    assert machine.account().state is State.WARNING


@pytest.mark.usefixtures("world")
def test_steps_that_outlive_their_worker(system: Path) -> None:
    queues.seen(f"{socket.gethostname()}:{os.getpid()}", SERVED)
    (system / ".dockerenv").unlink()
    (system / "bin/systemctl").write_text("#!/bin/sh\necho process\n")
    (system / "etc/systemd/logind.conf.d/own.conf").write_text("KillUserProcesses=no\n")
    for check in (machine.container, machine.systemd, machine.logind):
        assert check().state is State.OK


@pytest.mark.usefixtures("world", "system")
def test_a_worker_without_steps_of_its_own_machine() -> None:
    queues.seen(f"{socket.gethostname()}:{os.getpid()}", SERVED)
    Host.objects.all().delete()
    for check in (machine.container, machine.systemd, machine.logind, machine.account):
        assert check().state is State.OK


@pytest.mark.usefixtures("world")
def test_demo_people_in_production(settings: Settings) -> None:
    someone = person("developer")
    type(someone).objects.filter(pk=someone.pk).update(demo=True)
    assert people.demo().state is State.OK
    settings.PRODUCTION = True
    assert_wrong(people.demo(), someone.username)


@pytest.mark.usefixtures("world")
def test_secrets_of_a_former_key_and_of_one_that_is_lost(settings: Settings) -> None:
    set_secret(person("operations-lead"), "staging", "API_TOKEN", "a-long-value")
    assert vault.secrets().state is State.OK
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    assert vault.secrets().state is State.WARNING
    settings.SECRET_KEY_FALLBACKS = []
    assert_wrong(vault.secrets(), "API_TOKEN of staging")


@pytest.mark.usefixtures("world")
def test_a_host_whose_key_nobody_confirmed() -> None:
    Environment.objects.get(pk="staging").hosts.create(
        name="far", transport="ssh", address="127.0.0.1"
    )
    assert "far of staging" in targets.host_keys().found


def test_a_job_directory_that_no_attempt_explains(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, transactional_db: None
) -> None:
    environment = Environment.objects.create(slug="development", name="Development")
    environment.hosts.create(name="here", transport="local", default=True)
    environment.hosts.create(name="gone", transport="ssh", address="127.0.0.1", port=1)
    monkeypatch.setattr(context, "_local", lambda: LocalTransport(tmp_path))
    attempt = uuid7()
    (tmp_path / str(attempt)).mkdir()
    gone, found = targets.hosts()
    assert_wrong(found, f"{attempt} on here", "cannot be reached: gone")
    assert (gone.name, gone.state) == ("host gone of development", State.WARNING)
    shutil.rmtree(tmp_path / str(attempt))
    assert targets.hosts()[1].state is State.OK


def test_a_host_that_a_worker_of_this_machine_cannot_reach_is_wrong(
    transactional_db: None,
) -> None:
    environment = Environment.objects.create(slug="development", name="Development")
    gone = environment.hosts.create(name="gone", transport="ssh", address="127.0.0.1", port=1)
    queues.seen(f"{socket.gethostname()}:1", SERVED)
    found, _directories = targets.hosts()
    assert_wrong(found, "It cannot be reached. Nothing listens on its port 1.")
    assert (
        found.mend.startswith("Start its SSH server or correct the port")
        and gone.name in found.name
    )


def test_a_host_that_shows_another_key_is_wrong_and_one_without_any_is_named_once(
    transactional_db: None, tmp_path: Path
) -> None:
    environment = Environment.objects.create(slug="development", name="Development")
    make_key(tmp_path / "old")
    kind, key, *_ = (tmp_path / "old.pub").read_text().split()
    with ssh_server() as server:
        far = introduce(server, environment.pk)
        far.keys.update(kind=kind, key=key, fingerprint=HostKey(kind, key).fingerprint)
        found, _directories = targets.hosts()
        assert_wrong(found, "NOT the one that was confirmed", server.key.fingerprint)
        far.keys.all().delete()
        assert [one.name for one in targets.hosts()] == ["job directories"]
    assert targets.host_keys().state is State.WARNING
