"""The pages of environments: what is there, and changing it."""

from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from cvdops.audit.models import AuditEntry
from cvdops.environments.models import Environment, Host
from cvdops.executions import probes
from cvdops.executions.models import HostCheck, Worker
from tests.cast import person
from tests.web.access_table import WINDOW
from tests.web.world import World

FAR = {"name": "far", "transport": "ssh", "address": "far.example.org", "user": "ops"}


@pytest.fixture
def lead(world: World) -> Client:
    return world.client("operations-lead")


def add(client: Client, what: str, **values: object) -> str:
    """The answer to a form that adds something to staging; empty if it was saved."""
    answer = client.post(f"/environments/staging/add/{what}/", values)
    assert answer.status_code in {302, 422}, answer.content
    return "" if answer.status_code == 302 else answer.content.decode()


def staging() -> Environment:
    return Environment.objects.get(pk="staging")


def test_a_host_is_added_changed_and_removed(lead: Client) -> None:
    assert add(lead, "hosts", **FAR) == ""
    host = staging().hosts.get()
    address = f"/environments/staging/hosts/{host.pk}/"
    assert lead.post(f"{address}change/", {**FAR, "port": "2222"}).status_code == 302
    assert "ops@far.example.org, port 2222" in lead.get("/environments/staging/").content.decode()
    assert lead.post(f"{address}remove/").status_code == 302
    assert not staging().hosts.exists()


def test_each_change_is_audited_with_before_and_after(lead: Client) -> None:
    add(lead, "hosts", **FAR)
    pk = staging().hosts.get().pk
    lead.post(f"/environments/staging/hosts/{pk}/change/", {**FAR, "port": "2222"})
    entry = AuditEntry.objects.filter(action="environments.edit").latest("id")
    assert entry.data == {
        "verb": "change",
        "what": "host far",
        "before": {"port": None},
        "after": {"port": 2222},
    }


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("address", "-oProxyCommand=touch /tmp/x", "Use a host name"),
        ("address", "::::::", "neither a host name nor"),
        ("address", "", "Say where it is"),
        ("jump", "-oProxyCommand=x", "Use user@host:port, at most four"),
        ("jump", "a b", "several separated by commas"),
        ("user", "-l", "Use the name of an account"),
        ("key", "../../etc/passwd", "Use the name of the file"),
        ("port", "70000", "less than or equal to 65535"),
        ("name", "practice host", "Use a-z"),
        ("transport", "telnet", "not one of the available choices"),
    ],
)
def test_what_openssh_must_not_get_is_refused(
    lead: Client, field: str, value: str, words: str
) -> None:
    assert words in add(lead, "hosts", **{**FAR, field: value})
    assert not staging().hosts.exists()


def test_two_hosts_of_one_name_are_refused(lead: Client) -> None:
    add(lead, "hosts", **FAR)
    assert "There is one of this name already." in add(lead, "hosts", **FAR)


def test_the_last_default_host_is_the_only_one(lead: Client) -> None:
    add(lead, "hosts", **FAR, default="on")
    add(lead, "hosts", **{**FAR, "name": "farther"}, default="on")
    assert [h.name for h in staging().hosts.filter(default=True)] == ["farther"]


def test_a_group_takes_hosts_of_its_environment_alone(lead: Client) -> None:
    add(lead, "hosts", **FAR)
    here = staging().hosts.get()
    other = Host.objects.get(name="practice")
    assert "not one of the available choices" in add(lead, "groups", name="web", hosts=[other.pk])
    assert add(lead, "groups", name="web", hosts=[here.pk]) == ""
    assert [host.name for host in staging().groups.get().hosts.all()] == ["far"]


@pytest.mark.parametrize(
    "location", ["postgresql://cvd:secret@db/cvd", "host=db password=secret", "host=db Password =x"]
)
def test_a_password_in_a_location_is_refused(lead: Client, location: str) -> None:
    refused = add(lead, "databases", name="main", kind="postgresql", location=location)
    assert "Leave the password out" in refused


def test_an_address_is_allowed_once(lead: Client) -> None:
    assert add(lead, "addresses", host="api.example.org", port="443") == ""
    assert "It is allowed already." in add(lead, "addresses", host="api.example.org", port="443")


@pytest.mark.parametrize("verb", ["change", "remove"])
def test_a_host_in_use_stays_as_it_is(world: World, verb: str) -> None:
    execution = world.start()
    host = Host.objects.get(name="practice")
    address = f"/environments/development/hosts/{host.pk}/{verb}/"
    answer = world.client("operations-lead").post(address, {"name": "x", "transport": "local"})
    assert answer.status_code == 409
    html = answer.content.decode()
    assert f"practice is used by execution #{execution.number}." in html
    assert "The host is in use" in html and ('value="x"' in html) == (verb == "change")
    assert Host.objects.filter(name="practice").exists()


def test_who_may_not_change_reads_why(world: World) -> None:
    html = world.client("developer").get("/environments/development/").content.decode()
    assert "Changing environments is for administrators and Operations Leads." in html
    assert "/add/" not in html


@pytest.mark.parametrize(
    "address",
    ["nothing/", "staging/add/people/", "staging/hosts/1/change/", "staging/people/1/change/"],
)
def test_what_is_not_there(lead: Client, address: str) -> None:
    assert lead.get(f"/environments/{address}").status_code == 404


@pytest.fixture
def tested(world: World, transactional_db: None) -> HostCheck:
    """A test of the practice host that was asked for and is not done."""
    world.client("devops-engineer").post("/environments/development/hosts/practice/test/")
    return HostCheck.objects.get()


def host_page(world: World, role: str = "operations-lead", name: str = "practice") -> str:
    address = f"/environments/development/hosts/{name}/"
    return world.client(role).get(address).content.decode()


def test_a_test_is_watched_until_it_is_done(world: World, tested: HostCheck) -> None:
    assert 'hx-trigger="every 1s"' in host_page(world)
    probes.carry_out(tested.pk)
    html = host_page(world)
    assert "every 1s" not in html
    assert "in bash and sh." in html


def test_a_host_without_a_worker_says_since_when_and_what_to_do(
    world: World, tested: HostCheck
) -> None:
    assert "<code>env.development</code> for a day or more." in host_page(world)
    gone = timezone.now() - timedelta(hours=2)
    Worker.objects.create(name="w", queues=["env.development"], seen_at=gone, consumed_at=gone)
    html = host_page(world)
    assert "No worker serves <code>env.development</code> since" in html
    assert "manage.py doctor" in html and "Until then no step runs on" in html
    Worker.objects.update(seen_at=timezone.now())
    assert "No worker serves" not in host_page(world)


def test_a_test_that_nobody_does_says_so(world: World, tested: HostCheck) -> None:
    HostCheck.objects.update(requested_at=timezone.now() - timedelta(minutes=11))
    html = host_page(world)
    assert "Nobody did it" in html and "every 1s" not in html


@pytest.fixture
def far(world: World) -> Host:
    """A host of the development environment that has shown a key."""
    fields = {**FAR, "environment_id": "development"}
    host = Host.objects.create(**fields)
    shown = [{"kind": "ssh-ed25519", "key": "AAAA", "fingerprint": "SHA256:new"}]
    done = {"done_at": timezone.now(), "requested_by": person("admin")}
    host.checks.create(keys=shown, results=[], **done)
    return host


def confirm(world: World, role: str = "operations-lead", **values: str) -> HttpResponse:
    address = "/environments/development/hosts/far/keys/"
    return world.client(role).post(address, {"fingerprint": "SHA256:new", **values})


def test_an_unknown_key_is_confirmed_on_the_page(world: World, far: Host) -> None:
    assert "Confirm this key" in host_page(world, name="far")
    assert "Confirm this key" not in host_page(world, "devops-engineer", "far")
    assert confirm(world).status_code == 302
    assert far.keys.get().confirmed_by == person("operations-lead")


def test_a_changed_key_is_red_and_needs_a_reason(world: World, far: Host) -> None:
    far.keys.create(kind="ssh-ed25519", key="BBBB", fingerprint="SHA256:old")
    assert "Its key is NOT the one that was confirmed" in host_page(world, name="far")
    answer = confirm(world, reason=" ")
    assert answer.status_code == 422
    assert "Say why the key has changed" in answer.content.decode()
    assert confirm(world, reason="reinstalled").status_code == 302
    assert [key.fingerprint for key in far.keys.all()] == ["SHA256:new"]


def test_what_a_host_says_cannot_act_on_the_page(world: World, far: Host) -> None:
    text = "<script>alert(1)</script>\x1b[31m"
    results = [{"name": "name", "state": "failed", "text": text, "milliseconds": 1}]
    far.checks.update(results=results)
    html = host_page(world, name="far")
    assert "<script>alert" not in html and "\x1b" not in html


def test_a_window_that_somebody_else_proposed_keeps_what_was_typed(lead: Client) -> None:
    address = "/environments/development/windows/add/window/"
    assert lead.post(address, WINDOW).status_code == 302
    answer = lead.post(address, {**WINDOW, "reason": "for the new release"})
    assert answer.status_code == 409
    html = answer.content.decode()
    assert "A change is proposed already." in html and "for the new release" in html
    assert f'value="{WINDOW["starts_at"]}"' in html
