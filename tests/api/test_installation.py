"""What `doctor` found, for administrators by the API."""

from cvdops.audit.models import AuditEntry
from cvdops.doctor import kept
from cvdops.doctor.finding import ok, wrong
from tests.api.calls import call, get, token
from tests.web.world import World


def test_it_says_what_was_found_on_each_machine(world: World) -> None:
    assert get(token("admin"), "installation")["items"] == []
    kept.keep(
        [ok("git", "git version 2."), wrong("disk", "3 MB.", "Nothing starts.", "Make room.")]
    )
    [machine] = get(token("admin", "read"), "installation")["items"]
    assert (machine["machine"], machine["under_way"]) == (kept.machine(), False)
    assert [(f["name"], f["state"], f["mend"]) for f in machine["findings"]] == [
        ("git", "ok", ""),
        ("disk", "wrong", "Make room."),
    ]


def test_a_look_is_asked_for_once_and_recorded(world: World) -> None:
    first, second = (call(token("admin"), "POST", "installation/look") for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 409)
    assert first.json()["items"][0]["under_way"]
    assert AuditEntry.objects.filter(action="installation.examine").count() == 1


def test_it_is_for_administrators(world: World) -> None:
    for role in ("operations-lead", "outsider"):
        assert call(token(role), "GET", "installation").status_code == 403
        assert call(token(role), "POST", "installation/look").status_code == 403
